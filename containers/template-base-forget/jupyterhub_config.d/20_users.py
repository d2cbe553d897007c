# Who administers the hub. The LMS decides who may come in.

c = get_config()

# Hub admins see, stop and enter everybody's server. To find a person's user name let them
# sign in once and read it in the address: /user/u123/lab
# c.Authenticator.admin_users.add("u123")
