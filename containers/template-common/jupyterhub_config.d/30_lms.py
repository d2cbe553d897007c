# FILL IN. The learning management system from which people come.
# In Moodle: Site administration > Plugins > Manage tools > the tool's list symbol.

c = get_config()

# The address of the LMS without a slash at the end, for example "https://lms.example.org".
base_url = ""

# The client id that the LMS gave to this tool.
c.LTI13Authenticator.client_id = [""]

# As in Moodle. Other systems show these values in the settings of the tool.
c.LTI13Authenticator.issuer = base_url
c.LTI13Authenticator.authorize_url = f"{base_url}/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = f"{base_url}/mod/lti/certs.php"
c.LTI13Authenticator.access_token_url = f"{base_url}/mod/lti/token.php"
