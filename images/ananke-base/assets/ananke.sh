# Terminals use the Python of notebooks, and conda if the image has it.
PATH=/opt/python3/env/bin:$PATH
[ ! -r /opt/python3/conda/etc/profile.d/conda.sh ] || . /opt/python3/conda/etc/profile.d/conda.sh
