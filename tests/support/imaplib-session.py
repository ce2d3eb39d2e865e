"""One session of Python's imaplib, like a script of a mail user. Prints what it saw as JSON."""

import hashlib
import imaplib
import json
import sys

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
seen = {}


def ok(answer):
    status, data = answer
    if status != "OK":
        raise SystemExit(f"answered {status} {data}")
    return data


def body(mail, number):
    return ok(mail.fetch(number, "(BODY.PEEK[])"))[0][1]


with imaplib.IMAP4("127.0.0.1", port) as mail:
    ok(mail.login(user, password))
    seen["folders"] = sorted(line.decode().rsplit(' "." ')[-1].strip('"') for line in ok(mail.list()))
    seen["exists"] = int(ok(mail.select("INBOX"))[0])
    numbers = ok(mail.search(None, "ALL"))[0].split()
    seen["bodies"] = sorted(hashlib.sha256(body(mail, number)).hexdigest() for number in numbers)

    letter = b"From: python\r\nSubject: from imaplib\r\n\r\n\xff\xfe eight bits\r\na001 OK not a reply\r\n"
    ok(mail.append("INBOX", None, None, letter))
    ok(mail.noop())
    (number,) = ok(mail.search(None, "SUBJECT", '"from imaplib"'))[0].split()
    seen["appended"] = body(mail, number) == letter
    ok(mail.store(number, "+FLAGS", "(\\Deleted)"))
    seen["expunged"] = len([each for each in ok(mail.expunge()) if each])
    seen["left"] = ok(mail.search(None, "SUBJECT", '"from imaplib"'))[0].decode()
    if hasattr(mail, "idle"):
        with mail.idle(duration=0.1) as idler:
            list(idler)
    seen["check"] = mail.check()[0]

print(json.dumps(seen))
