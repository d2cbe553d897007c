// What Kore's REST API takes and answers. Generated from openapi.json: `make types`.

export interface components {
    schemas: {
        /** @description An assignment and how far it is. Counts are of students. */
        AssignmentInfo: {
            name: string;
            due_at: string | null;
            /** @enum {string} */
            state: "draft" | "released" | "collected" | "graded";
            max_score: number;
            submitted: number;
            collected: number;
            graded: number;
            /** @description Students with work that is not collected yet */
            to_collect: number;
            /** @description Students with collected work that is not graded yet */
            to_grade: number;
            needs_manual: number;
        };
        /** @description What someone did to a course. ``job`` has the report, where there is one. */
        AuditEntry: {
            /** Format: date-time */
            at: string;
            by: string;
            by_name: string;
            action: string;
            message: components["schemas"]["MessageInfo"] | null;
            outcome: string;
            job: string | null;
        };
        /** @description Entries of a course, the newest first; ``total`` counts those of all pages. */
        AuditPage: {
            entries: components["schemas"]["AuditEntry"][];
            total: number;
        };
        /** @description What to grade automatically. */
        AutogradeRequest: {
            assignment: string;
            /**
             * @description Users; null for all with new work
             * @default null
             */
            students: string[] | null;
            /**
             * @description Collect first what was handed in since
             * @default false
             */
            collect: boolean;
            /**
             * @description Also what is graded already
             * @default false
             */
            regrade: boolean;
        };
        /** @description What a course's server was sent: there is something to grade. */
        AutogradeTicket: {
            ticket: string;
        };
        /** @description What a course's server has to grade. */
        AutogradeWork: {
            assignment: string;
            students: string[] | null;
            collect: boolean;
            again: boolean;
        };
        /** @description A backup. ``course`` is the one that it was taken of; ``size`` is in bytes. */
        BackupInfo: {
            id: string;
            course: string | null;
            title: string;
            /** @description `sources` or `everything` */
            contents: string;
            /** @description `made`, `uploaded`, `before_reset`, `before_delete`, `before_restore` or `before_replace` */
            origin: string;
            size: number;
            sha256: string;
            /** Format: date-time */
            taken_at: string;
            taken_by: string;
            taken_by_name: string;
            assignments: number;
            students: number;
            /** @description Whether the caller made or uploaded it, and may delete it */
            mine: boolean;
        };
        /** @description Backups of a course, the latest first, and what all of them take, in bytes. */
        BackupList: {
            backups: components["schemas"]["BackupInfo"][];
            used: number;
            quota: number;
        };
        /** @description Back a course up. */
        BackupRequest: {
            /**
             * @description `everything` includes students' work, points and names
             * @enum {string}
             */
            contents: "sources" | "everything";
        };
        /** @description A cell as text. ``points`` is null where it is not graded. */
        CellPreview: {
            /** @enum {string} */
            kind: "markdown" | "code" | "raw";
            /** @enum {string} */
            role: "text" | "solution" | "tests" | "task" | "read_only";
            points: number | null;
            text: string;
        };
        /** @description What students find instead of a solution in Python. */
        CodeStub: {
            python: string;
        };
        /** @description The source of a copy. */
        CopyFrom: {
            /** @enum {string} */
            kind: "course" | "backup";
            id: string;
        };
        /**
         * @description One thing to be copied, and where to.
         *
         *     ``exists``: the course has something with this name, or another version of a file that the
         *     problem needs. ``keep_both`` is the name that the copy gets then. ``size`` is in bytes.
         */
        CopyItem: {
            assignment: string;
            problem: string | null;
            target: string;
            exists: boolean;
            keep_both: string;
            size: number;
        };
        /** @description What a copy would do; ``size`` is in bytes. */
        CopyPlan: {
            items: components["schemas"]["CopyItem"][];
            size: number;
        };
        /**
         * @description Copy a source's assignments, some or one of them, or one problem of it, into a course.
         *
         *     ``into`` is the assignment that a problem is copied into, or the new name of an assignment;
         *     null keeps the name. ``collision`` says what to do where the course has the name already:
         *     copy nothing, copy under a new name, or replace the old one, which is kept in a backup.
         */
        CopyRequest: {
            from: components["schemas"]["CopyFrom"];
            /** @default null */
            assignment: string | null;
            /**
             * @description Some of the source's; null for all
             * @default null
             */
            assignments: string[] | null;
            /** @default null */
            problem: string | null;
            /** @default null */
            into: string | null;
            /**
             * @default refuse
             * @enum {string}
             */
            collision: "refuse" | "keep_both" | "replace";
        };
        /** @description A course with its people and assignments; both are empty for a learner. */
        CourseDetail: {
            id: string;
            title: string;
            context_title: string;
            activity_title: string;
            /** @enum {string} */
            state: "new" | "ready";
            opened_by_teacher: boolean;
            /** @enum {string} */
            role: "instructor" | "learner" | "observer" | "admin";
            grades_enabled: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            launched_at: string;
            instructors: number;
            learners: number;
            /** @default null */
            server: ("stopped" | "starting" | "stopping" | "running") | null;
            /** @default null */
            return_url: string | null;
            /** @default null */
            links: components["schemas"]["Links"] | null;
            /** @default [] */
            people: components["schemas"]["Person"][];
            /** @default [] */
            assignments: components["schemas"]["AssignmentInfo"][];
        };
        /** @description Settings of a course in its nbgrader_config.py, as the form shows and takes them. */
        CourseSettings: {
            feedback: components["schemas"]["FeedbackSettings"];
            solution: components["schemas"]["SolutionMarks"];
            code_stub: components["schemas"]["CodeStub"];
            /**
             * @description Settings that the file computes: what is shown may not be in force. Ignored in a request
             * @default []
             */
            computed: string[];
        };
        /** @description A course as a list shows it. */
        CourseSummary: {
            id: string;
            title: string;
            context_title: string;
            activity_title: string;
            /** @enum {string} */
            state: "new" | "ready";
            opened_by_teacher: boolean;
            /** @enum {string} */
            role: "instructor" | "learner" | "observer" | "admin";
            grades_enabled: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            launched_at: string;
            instructors: number;
            learners: number;
        };
        /** @description Courses, the latest launched first. */
        Courses: {
            courses: components["schemas"]["CourseSummary"][];
        };
        /** @description The course of the caller's latest launch; null before any. */
        CurrentCourse: {
            course: components["schemas"]["CourseSummary"] | null;
        };
        /** @description Reset a course, or delete it. */
        DestroyRequest: {
            /** @description The course's title, as the user typed it */
            confirm: string;
            /**
             * @description Back everything up first
             * @default true
             */
            backup: boolean;
        };
        /** @description The one form of every error. */
        ErrorBody: {
            error: components["schemas"]["ErrorDetail"];
        };
        /** @description One error. ``code`` is stable, and ``params`` are what its text is about. */
        ErrorDetail: {
            code: string;
            /** @description A sentence in the language of Accept-Language */
            message: string;
            /** @default {} */
            params: {
                [key: string]: unknown;
            };
            /**
             * @description What to do about it, in the same language
             * @default null
             */
            hint: string | null;
        };
        /** @description The limits on what is sent, in bytes; ``files`` is a number of files. */
        ExchangeLimits: {
            file: number;
            submission: number;
            person: number;
            course: number;
            files: number;
        };
        /**
         * @description The exchange of a course.
         *
         *     ``used`` is in bytes: of the course for its teachers, of their own submissions for others.
         */
        ExchangeState: {
            course: string;
            limits: components["schemas"]["ExchangeLimits"];
            used: number;
        };
        /** @description Feedback on a submission, ready to be fetched. */
        FeedbackInfo: {
            /** Format: date-time */
            released_at: string;
            size: number;
            sha256: string;
        };
        /** @description What students find in their feedback. */
        FeedbackSettings: {
            /** @description Whether hidden tests are shown */
            show_hidden_tests: boolean;
            /** @description Whether the notebook is run again for it */
            run_again: boolean;
        };
        /** @description An assignment of a source. ``points`` is null where unknown; ``size`` is in bytes. */
        FoundAssignment: {
            source: components["schemas"]["Source"];
            name: string;
            notebooks: number;
            points: number | null;
            size: number;
            changed_at: string | null;
        };
        /** @description A page of assignments; ``total`` counts those on all pages. */
        FoundAssignments: {
            assignments: components["schemas"]["FoundAssignment"][];
            total: number;
        };
        /** @description A notebook of an assignment. ``points`` is null where unknown. */
        FoundProblem: {
            source: components["schemas"]["Source"];
            assignment: string;
            name: string;
            title: string;
            points: number | null;
            cells: number;
            size: number;
            changed_at: string | null;
        };
        /** @description A page of problems; ``total`` counts those on all pages. */
        FoundProblems: {
            problems: components["schemas"]["FoundProblem"][];
            total: number;
        };
        /** @description One student in the preview. ``given`` is null where nothing will be sent. */
        GradeEntry: {
            user: string;
            name: string;
            given: number | null;
            maximum: number | null;
            /** @enum {string} */
            action: "send" | "unchanged" | "held_back";
            reason: components["schemas"]["MessageInfo"] | null;
            /** @default null */
            last: components["schemas"]["LastScore"] | null;
        };
        /** @description Who gets what, what is held back and why. */
        GradesPreview: {
            course: string;
            maximum: number;
            assignments: string[];
            entries: components["schemas"]["GradeEntry"][];
            counts: {
                [key: string]: number;
            };
            /** @default null */
            last_job: string | null;
        };
        /** @description Send the grades of a course. */
        GradesRequest: {
            course: string;
            /**
             * @description Send unchanged scores too
             * @default false
             */
            resend: boolean;
            /**
             * @description Only these users, as the preview names them
             * @default null
             */
            users: string[] | null;
        };
        /** @description Kore answers, and so does its database. */
        Health: {
            /** @constant */
            status: "ok";
        };
        /** @description A job. ``total`` is 0 while it is not known. */
        JobInfo: {
            id: string;
            kind: string;
            course: string | null;
            /** @description The one assignment, or copied problem, that it is about, by its name */
            subject: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "done" | "failed" | "cancelled";
            done: number;
            total: number;
            message: components["schemas"]["MessageInfo"] | null;
            created_by: string;
            /** Format: date-time */
            created_at: string;
            started_at: string | null;
            ended_at: string | null;
            /** @default [] */
            items: components["schemas"]["JobItemInfo"][];
        };
        /** @description One line of a job's report. */
        JobItemInfo: {
            key: string;
            label: string;
            outcome: string;
            message: components["schemas"]["MessageInfo"] | null;
            detail: {
                [key: string]: unknown;
            };
        };
        /** @description Jobs of a course or a person, the newest first, without their items. */
        Jobs: {
            jobs: components["schemas"]["JobInfo"][];
        };
        /** @description A public RSA key (RFC 7517). */
        Jwk: {
            kty: string;
            kid: string;
            use: string;
            alg: string;
            n: string;
            e: string;
        };
        /** @description The keys that Kore signs with. */
        Jwks: {
            keys: components["schemas"]["Jwk"][];
        };
        /** @description What was last sent for a student. */
        LastScore: {
            given: number;
            maximum: number;
            /** @enum {string} */
            state: "sending" | "sent" | "refused" | "failed";
            message: components["schemas"]["MessageInfo"] | null;
            /** Format: date-time */
            sent_at: string;
        };
        /** @description A launch that the hub has verified, and the person whom it has signed in. */
        LaunchNotice: {
            user: string;
            /**
             * Format: date-time
             * @description When the hub made the user: one that was deleted since is enrolled again
             */
            user_created_at: string;
            client_id: string;
            claims: {
                [key: string]: unknown;
            };
            platform: components["schemas"]["PlatformNotice"];
        };
        /** @description The course of a launch. */
        LaunchRecorded: {
            course: string;
        };
        /** @description Where a course's server is, for those who may enter it. Paths on the same host. */
        Links: {
            lab: string;
            formgrader: string;
        };
        /** @description Text for people: a stable ``code`` with parameters, and the sentence that they make. */
        MessageInfo: {
            code: string;
            /** @description A sentence in the language of Accept-Language */
            text: string;
            params: {
                [key: string]: unknown;
            };
            /**
             * @description What to do about it, in the same language
             * @default null
             */
            hint: string | null;
        };
        /** @description The course's server, and where it is. */
        OpenedCourse: {
            /** @enum {string} */
            server: "starting" | "running";
            url: string;
        };
        /** @description A person in a course. */
        Person: {
            user: string;
            name: string;
            /** @enum {string} */
            role: "instructor" | "learner" | "observer";
            /** Format: date-time */
            launched_at: string;
        };
        /** @description The LMS of a launch. */
        PlatformNotice: {
            issuer: string;
            client_id: string;
            token_url: string;
            /**
             * @description URLs or names of hosts to which tokens and scores may go, besides those of `issuer` and `token_url`; `*.example.org` for all hosts below `example.org`
             * @default []
             */
            service_hosts: string[];
        };
        /** @description A problem as text: only its beginning where it is ``truncated``. */
        ProblemPreview: {
            name: string;
            title: string;
            points: number | null;
            cells: components["schemas"]["CellPreview"][];
            truncated: boolean;
        };
        /** @description A released assignment. ``notebooks`` are paths within the archive. */
        ReleasedAssignment: {
            name: string;
            /** Format: date-time */
            released_at: string;
            size: number;
            sha256: string;
            notebooks: string[];
            due_at: string | null;
        };
        /** @description Released assignments, by name. */
        ReleasedAssignments: {
            assignments: components["schemas"]["ReleasedAssignment"][];
        };
        /** @description Restore everything in a course from a backup of it. */
        RestoreRequest: {
            backup: string;
            /** @description The course's title, as the user typed it */
            confirm: string;
        };
        /** @description Who is signed in. ``csrf`` goes into the header ``X-CSRFToken`` of what changes something. */
        SessionInfo: {
            user: string;
            csrf: string;
            admin: boolean;
        };
        /** @description The lines before and after a solution. */
        SolutionMarks: {
            begin: string;
            end: string;
        };
        /** @description Where something can be copied from: a course, or a backup of one. */
        Source: {
            /** @enum {string} */
            kind: "course" | "backup";
            id: string;
            course: string | null;
            title: string;
            taken_at: string | null;
        };
        /** @description A submission; ``late`` is by the due date as it stands now. */
        SubmissionInfo: {
            id: string;
            user: string;
            assignment: string;
            /** Format: date-time */
            received_at: string;
            size: number;
            sha256: string;
            late: boolean;
            notebooks: string[];
            feedback: components["schemas"]["FeedbackInfo"] | null;
        };
        /** @description Submissions, the oldest first. */
        Submissions: {
            submissions: components["schemas"]["SubmissionInfo"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AssignmentInfo = components['schemas']['AssignmentInfo'];
export type AuditEntry = components['schemas']['AuditEntry'];
export type AuditPage = components['schemas']['AuditPage'];
export type AutogradeRequest = components['schemas']['AutogradeRequest'];
export type AutogradeTicket = components['schemas']['AutogradeTicket'];
export type AutogradeWork = components['schemas']['AutogradeWork'];
export type BackupInfo = components['schemas']['BackupInfo'];
export type BackupList = components['schemas']['BackupList'];
export type BackupRequest = components['schemas']['BackupRequest'];
export type CellPreview = components['schemas']['CellPreview'];
export type CodeStub = components['schemas']['CodeStub'];
export type CopyFrom = components['schemas']['CopyFrom'];
export type CopyItem = components['schemas']['CopyItem'];
export type CopyPlan = components['schemas']['CopyPlan'];
export type CopyRequest = components['schemas']['CopyRequest'];
export type CourseDetail = components['schemas']['CourseDetail'];
export type CourseSettings = components['schemas']['CourseSettings'];
export type CourseSummary = components['schemas']['CourseSummary'];
export type Courses = components['schemas']['Courses'];
export type CurrentCourse = components['schemas']['CurrentCourse'];
export type DestroyRequest = components['schemas']['DestroyRequest'];
export type ErrorBody = components['schemas']['ErrorBody'];
export type ErrorDetail = components['schemas']['ErrorDetail'];
export type ExchangeLimits = components['schemas']['ExchangeLimits'];
export type ExchangeState = components['schemas']['ExchangeState'];
export type FeedbackInfo = components['schemas']['FeedbackInfo'];
export type FeedbackSettings = components['schemas']['FeedbackSettings'];
export type FoundAssignment = components['schemas']['FoundAssignment'];
export type FoundAssignments = components['schemas']['FoundAssignments'];
export type FoundProblem = components['schemas']['FoundProblem'];
export type FoundProblems = components['schemas']['FoundProblems'];
export type GradeEntry = components['schemas']['GradeEntry'];
export type GradesPreview = components['schemas']['GradesPreview'];
export type GradesRequest = components['schemas']['GradesRequest'];
export type Health = components['schemas']['Health'];
export type JobInfo = components['schemas']['JobInfo'];
export type JobItemInfo = components['schemas']['JobItemInfo'];
export type Jobs = components['schemas']['Jobs'];
export type Jwk = components['schemas']['Jwk'];
export type Jwks = components['schemas']['Jwks'];
export type LastScore = components['schemas']['LastScore'];
export type LaunchNotice = components['schemas']['LaunchNotice'];
export type LaunchRecorded = components['schemas']['LaunchRecorded'];
export type Links = components['schemas']['Links'];
export type MessageInfo = components['schemas']['MessageInfo'];
export type OpenedCourse = components['schemas']['OpenedCourse'];
export type Person = components['schemas']['Person'];
export type PlatformNotice = components['schemas']['PlatformNotice'];
export type ProblemPreview = components['schemas']['ProblemPreview'];
export type ReleasedAssignment = components['schemas']['ReleasedAssignment'];
export type ReleasedAssignments = components['schemas']['ReleasedAssignments'];
export type RestoreRequest = components['schemas']['RestoreRequest'];
export type SessionInfo = components['schemas']['SessionInfo'];
export type SolutionMarks = components['schemas']['SolutionMarks'];
export type Source = components['schemas']['Source'];
export type SubmissionInfo = components['schemas']['SubmissionInfo'];
export type Submissions = components['schemas']['Submissions'];
