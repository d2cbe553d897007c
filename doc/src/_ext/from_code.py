"""Pages that are made from the code: the REST API, the command line, refused launches.

A line ``% from code: NAME`` in a page is replaced by the Markdown of a function here when the
page is read. What is documented so cannot differ from what runs.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import typer.main
from typer.core import TyperArgument, TyperGroup, TyperOption

from ananke import commands
from ananke.cli import app as command_line_app
from ananke.commands import shell
from ananke.errors import MEANINGS
from ananke.result import Result
from kore.hub.reasons import Reason
from kore.service.auth import guards
from kore.shared.roles import Role
from tests.support.openapi import kore_app

if TYPE_CHECKING:
    from flask import Flask
    from sphinx.application import Sphinx

MARK = re.compile(r"^% from code: ([a-z-]+)$", re.MULTILINE)
_METHODS = ("get", "put", "post", "patch", "delete")


def rest_routes() -> str:
    """Return a section for each route of the REST API, by tag."""
    with kore_app() as app:
        document: dict[str, Any] = app.api_doc  # type: ignore[attr-defined]
        callers = _callers(app)
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if operation := methods.get(method):
                who = callers[method.upper(), _rule(path)]
                section = sections.setdefault(operation["tags"][0], [])
                section.append(_route(method.upper(), path, operation, who))
    return "\n\n".join(
        f"## {tag.capitalize()}\n\n" + "\n\n".join(routes)
        for tag, routes in sorted(sections.items())
    )


def rest_schemas() -> str:
    """Return a section for each model that the API takes or answers."""
    with kore_app() as app:
        schemas = app.api_doc["components"]["schemas"]  # type: ignore[attr-defined]
    return "\n\n".join(
        f"({_anchor(name)})=\n### {name}\n\n{schema.get('description', '')}\n\n{_fields(schema)}"
        for name, schema in sorted(schemas.items())
    )


def pages() -> str:
    """Return a table of the routes that are pages for people."""
    with kore_app() as app:
        callers = _callers(app)
        documented = {_rule(path) for path in app.api_doc["paths"]}  # type: ignore[attr-defined]
        rows = [
            (
                f"`{rule.rule}`",
                _summary(app.view_functions[rule.endpoint]),
                callers["GET", rule.rule],
            )
            for rule in app.url_map.iter_rules()
            if rule.rule not in documented and rule.endpoint != "static"
        ]
    return _table(("Page", "What it does", "Who may call it"), sorted(rows))


def command_line() -> str:
    """Return a section for each command of ``ananke`` with its options."""
    group = typer.main.get_command(command_line_app)
    assert isinstance(group, TyperGroup)
    parts = [f"## ananke\n\n{group.help}\n\n{_options(group)}"]
    for name, command in sorted(group.commands.items()):
        parts.append(f"## ananke {name}\n\n{command.help}\n\n{_options(command)}")
    return "\n\n".join(parts)


def exit_codes() -> str:
    """Return a table of the exit codes and what each means."""
    rows = [(f"`{int(code)}`", words) for code, words in sorted(MEANINGS.items())]
    return _table(("Code", "Meaning"), rows)


def json_fields() -> str:
    """Return a table of the fields of each command's JSON document."""
    rows = []
    for module in vars(commands).values():
        if not inspect.ismodule(module) or not hasattr(module, "register"):
            continue
        app = typer.Typer()
        module.register(app)
        names = ", ".join(f"`ananke {command.name}`" for command in app.registered_commands)
        rows += [
            (names, _field_names(result))
            for result in vars(module).values()
            if inspect.isclass(result) and result.__module__ == module.__name__
            if issubclass(result, Result) and module.__name__ != shell.__name__
        ]
    return _table(("Command", "Fields"), sorted(rows))


def refusals() -> str:
    """Return a table of the reasons for refusing a launch, by their code in the log."""
    rows = [
        (
            f"`{reason.name.lower()}`",
            str(reason.value.status),
            f"**{reason.value.heading}.** {reason.value.explanation}",
            " ".join(reason.value.steps),
        )
        for reason in Reason
    ]
    return _table(("In the log", "Status", "What the person reads", "What the page advises"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "rest-routes": rest_routes,
    "rest-schemas": rest_schemas,
    "pages": pages,
    "command-line": command_line,
    "exit-codes": exit_codes,
    "json-fields": json_fields,
    "refusals": refusals,
}


def fill(text: str) -> str:
    """Return a page's text with its marks replaced. Raises KeyError for an unknown one."""
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)


def _route(method: str, path: str, operation: dict[str, Any], who: str) -> str:
    lines = [f"### {method} {path}", "", operation.get("summary", ""), "", f"*Who:* {who}."]
    if parameters := operation.get("parameters", []):
        rows = [
            (
                f"`{p['name']}`",
                p["in"],
                _type(p["schema"]),
                "yes" if p.get("required") else "no",
                p.get("description", ""),
            )
            for p in parameters
        ]
        lines += ["", _table(("Parameter", "In", "Type", "Required", "Meaning"), rows)]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        lines += ["", f"*Body:* {_type(content.get('schema', {}))} (`{kind}`)."]
    answers, errors = [], []
    for status, response in sorted(operation["responses"].items()):
        models = [_type(c.get("schema", {})) for c in response.get("content", {}).values()]
        if int(status) < 400:  # noqa: PLR2004
            answers.append(f"`{status}` {', '.join(models) or 'without a body'}")
        else:
            errors.append(f"`{status}`")
    lines += ["", f"*Answers:* {', '.join(answers)}."]
    if errors:
        lines += ["", f"*Errors:* {', '.join(errors)}."]
    return "\n".join(lines)


def _callers(app: Flask) -> dict[tuple[str, str], str]:
    """Return who may call each method and rule, in words."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            guard = app.view_functions[rule.endpoint].kore_guard  # type: ignore[attr-defined]
            for method in rule.methods or ():
                found[method, rule.rule] = _who(guard)
    return found


def _who(guard: guards.Guard | None) -> str:
    if guard is None:
        return "anyone, without signing in"
    if guard is guards.user:
        return "everyone who has signed in"
    if guard is guards.hub_login:
        return "the hub's login alone"
    roles = inspect.getclosurevars(guard).nonlocals.get("roles")
    if roles == {Role.INSTRUCTOR}:
        return "the course's teachers, hub admins"
    if roles == set(Role):
        return "everyone in the course, hub admins"
    if guard is guards.reader_of_job:
        return "the course's teachers, hub admins; who began the job, where its course is gone"
    if guard is guards.reader_of_backup:
        return "the course's teachers, hub admins; who made it, where the course is gone"
    if getattr(guard, "__qualname__", "").startswith("account_of."):
        return "the course's own account alone: its server"
    if getattr(guard, "__qualname__", "").startswith("own_or_teacher_of."):
        return "everyone for their own; with a course its teachers and hub admins"
    raise ValueError(f"say in from_code._who who passes the guard {guard.__qualname__}")


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`",
            _type(field),
            "yes" if name in required else "no",
            field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("Field", "Type", "Always there", "Meaning"), rows)


def _type(schema: dict[str, Any]) -> str:
    """Return a schema as words, with a link to a model."""
    if ref := schema.get("$ref"):
        name = ref.rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if options := schema.get("anyOf"):
        return " or ".join(_type(option) for option in options)
    if values := schema.get("enum"):
        return " or ".join(f"`{value}`" for value in values)
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    limits = [f"`{schema['pattern']}`"] if "pattern" in schema else []
    limits += [f"at most {schema['maxLength']} characters"] if "maxLength" in schema else []
    words = {"date-time": "moment (ISO 8601)"}.get(schema.get("format", ""), kind)
    return f"{words}, {', '.join(limits)}" if limits else str(words)


def _field_names(result: type[Any]) -> str:
    """Return the fields of a dataclass; fields that hold dataclasses name theirs too."""
    hints = get_type_hints(result)
    shown = []
    for field in dataclasses.fields(result):
        inner = [
            kind
            for kind in (hints[field.name], *_type_arguments(hints[field.name]))
            if dataclasses.is_dataclass(kind)
        ]
        rest = f" ({_field_names(inner[0])})" if inner and isinstance(inner[0], type) else ""
        shown.append(f"`{field.name}`{rest}")
    return ", ".join(shown)


def _type_arguments(kind: Any) -> Iterator[Any]:
    for argument in get_args(kind):
        yield argument
        yield from _type_arguments(argument)


def _options(command: Any) -> str:
    rows = []
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            names = f"`{parameter.name}`"
        else:
            assert isinstance(parameter, TyperOption)
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        default = getattr(parameter, "show_default", None)
        if not isinstance(default, str):
            default = parameter.default if isinstance(parameter.default, int | str) else ""
        shown = "" if isinstance(default, bool) or default == "" else f"`{default}`"
        rows.append((names, parameter.help or "", shown))
    rows.append(("`-h`, `--help`", "Show a short help.", ""))
    return _table(("Option", "Meaning", "Default"), rows)


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", r"\|")


def _anchor(name: str) -> str:
    return f"schema-{name.lower()}"


def _rule(path: str) -> str:
    return re.sub(r"{(\w+)}", r"<\1>", path)


def _summary(view: Callable[..., Any]) -> str:
    return (inspect.getdoc(view) or "").partition("\n")[0]


def _fill(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def _outdated(app: Sphinx, env: Any, *_: Any) -> list[str]:
    """Name the pages that have marks: the code may have changed though they did not."""
    del app
    return [page for page in env.found_docs if MARK.search(Path(env.doc2path(page)).read_text())]


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("source-read", _fill)
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
