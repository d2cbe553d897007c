# Who administers the hub. The LMS decides who can sign in.

c = get_config()

# Hub admins see, stop and open everyone's server. To find someone's user name, ask them to
# sign in once and read it in the address: /user/u123/lab
# c.Authenticator.admin_users.add("u123")
