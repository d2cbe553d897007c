# What this template sets differently from ../template-common/config.py.
config['image_name'] = 'ananke-nbgrader'
