#!/usr/bin/env python3
"""Man pages from `licet --experimental-dump-help`: licet.1 and one a subcommand. Usage: make-man.py FOLDER < JSON"""

import json
import pathlib
import re
import sys


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def names(argument):
    return [("--" if n["kind"] == "long" else "-") + n["name"] for n in argument.get("names", [])]


def value(argument):
    return argument.get("valueName", "value")


def synopsis(argument):
    if argument["kind"] == "positional":
        text = f"\\fI{escape(value(argument))}\\fR"
    else:
        flag = names(argument)[-1] if names(argument) else ""
        text = f"\\fB{escape(flag)}\\fR"
        if argument["kind"] == "option":
            text += f" \\fI{escape(value(argument))}\\fR"
    if argument.get("isRepeating"):
        text += "..."
    return f"[{text}]" if argument.get("isOptional") else text


def page(command, path):
    title = "-".join(path)
    arguments = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    out = [f'.TH "{title.upper()}" 1 "" "licet" "User Commands"', ".SH NAME"]
    out += [f"{escape(title)} \\- {escape(command.get('abstract', '').rstrip('.'))}", ".SH SYNOPSIS"]
    out.append(f"\\fB{escape(' '.join(path))}\\fR " + " ".join(synopsis(a) for a in arguments))
    if command.get("discussion"):
        out += [".SH DESCRIPTION", escape(command["discussion"])]
    if arguments:
        out.append(".SH OPTIONS")
    for argument in arguments:
        head = ", ".join(names(argument)) or value(argument)
        out += [".TP", f"\\fB{escape(head)}\\fR" + (f" \\fI{escape(value(argument))}\\fR" if argument["kind"] == "option" else "")]
        text = " ".join(t for t in (argument.get("abstract"), argument.get("discussion")) if t)
        out.append(escape(text) or "\\&")
    children = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    if children:
        out.append(".SH COMMANDS")
    for child in children:
        out += [".TP", f"\\fB{escape('-'.join(path + [child['commandName']]))}\\fR(1)", escape(child.get("abstract", ""))]
    out += [".SH EXIT STATUS", "0 on success; 64 a wrong flag or request, 65 a file with errors, 66 a file that can't be read, "
            "69 no daemon or no bus, 73 a file that can't be written, 75 too much at once (try again), 76 an answer that can't be "
            "read, 77 not for this user. \\fBlicet check\\fR: 0 allow, 1 deny, 2 ask."]
    if len(path) > 1:
        out += [".SH SEE ALSO", f"\\fB{escape('-'.join(path[:-1]))}\\fR(1)"]
    return "\n".join(out) + "\n"


def write(folder, command, path):
    (folder / f"{'-'.join(path)}.1").write_text(page(command, path), encoding="utf-8")
    for child in command.get("subcommands", []):
        if child["commandName"] != "help":
            write(folder, child, path + [child["commandName"]])


write(pathlib.Path(sys.argv[1]), json.load(sys.stdin)["command"], ["licet"])
