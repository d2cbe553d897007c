# Courses: how much work Kore accepts.

c = get_config()

c.Ananke.kore_environment = {
    # The largest file, and the largest submission, assignment or feedback.
    "KORE_LIMIT_FILE": "100 MB",
    "KORE_LIMIT_SUBMISSION": "250 MB",
    "KORE_LIMIT_FILES": "2000",
    # Everything that one person has submitted in a course, and everything stored for a course.
    "KORE_LIMIT_PERSON": "2 GB",
    "KORE_LIMIT_COURSE": "20 GB",
    # Requests to one LMS at the same time.
    "KORE_PLATFORM_REQUESTS": "4",
}
