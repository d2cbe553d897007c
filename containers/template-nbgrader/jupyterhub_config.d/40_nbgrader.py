# Courses: how much work Kore takes in.

c = get_config()

c.Ananke.kore_environment = {
    # The largest file, and the largest submission, assignment or feedback.
    "KORE_LIMIT_FILE": "100 MB",
    "KORE_LIMIT_SUBMISSION": "250 MB",
    "KORE_LIMIT_FILES": "2000",
    # All that one person has handed in for a course, and all that lies there for a course.
    "KORE_LIMIT_PERSON": "2 GB",
    "KORE_LIMIT_COURSE": "20 GB",
    # Requests under way at once to one LMS.
    "KORE_PLATFORM_REQUESTS": "4",
}
