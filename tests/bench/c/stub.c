/*
 * An IMAP server that answers immediately and knows exactly the commands that the benchmark needs. It is strict: anything
 * unexpected is counted as an error and ends the connection, so that a proxy that damages, repeats or invents commands
 * fails the benchmark. Prints one JSON line of counts on SIGUSR1 and on SIGTERM.
 *
 *   stub PORT
 */
#define _GNU_SOURCE
#include "loop.h"
#include "mailbox.h"
#include <ctype.h>
#include <signal.h>
#include <strings.h>
#include <sys/uio.h>

enum { LINE_MAX_BYTES = 2048, REPLY_BYTES = 1024, NOBODY = -1 };
#define CAPABILITIES "IMAP4rev1 SASL-IR ID UNSELECT NAMESPACE AUTH=PLAIN"

struct connection {
    int fd, user, selected, in_auth, leaving, length;
    uint32_t events;
    char tag[32], in[LINE_MAX_BYTES];
    /* Data to write: head, then body_left bytes of the user's block, repeated, then tail. */
    char head[REPLY_BYTES], tail[64];
    int head_at, head_length, tail_at, tail_length;
    long body_left;
};

static struct { long accepted, open, logins, commands, errors; } counts;
static volatile sig_atomic_t asked_to_stop, asked_to_tell;
static int epoll;

static void tell(void)
{
    printf("{\"accepted\":%ld,\"open\":%ld,\"logins\":%ld,\"commands\":%ld,\"errors\":%ld}\n", counts.accepted,
           counts.open, counts.logins, counts.commands, counts.errors);
    fflush(stdout);
}

static void on_signal(int signal)
{
    if (signal == SIGUSR1)
        asked_to_tell = 1;
    else
        asked_to_stop = 1;
}

static void hang_up(struct connection *c)
{
    close(c->fd);
    counts.open--;
    free(c);
}

static void say(struct connection *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int room = REPLY_BYTES - c->head_length;
    int length = vsnprintf(c->head + c->head_length, (size_t)room, format, arguments);
    va_end(arguments);
    if (length >= room)
        die("a reply is longer than %d bytes", REPLY_BYTES);
    c->head_length += length;
}

static void refuse(struct connection *c, const char *line)
{
    if (counts.errors++ < 10)
        fprintf(stderr, "stub: unexpected: %.80s\n", line);
    say(c, "* BAD not expected by the stub\r\n");
    c->leaving = 1;
}

/* Reads an atom or a quoted string, and moves `at` past it and the following space. */
static int take_string(char **at, char *out, size_t size)
{
    char *from = *at, *end;
    if (*from == '"') {
        end = strchr(++from, '"');
        if (!end || memchr(from, '\\', (size_t)(end - from)))
            return 0;
    } else {
        end = from + strcspn(from, " (){\"\\");
    }
    size_t length = (size_t)(end - from);
    if (length >= size || (length == 0 && *end != '"'))
        return 0;
    memcpy(out, from, length);
    out[length] = 0;
    if (*end == '"')
        end++;
    if (*end == ' ')
        end++;
    else if (*end)
        return 0;
    *at = end;
    return 1;
}

/* The number of a user such as u000042, or NOBODY. */
static int user_called(const char *name, char kind)
{
    if (strlen(name) != NAME_BYTES || name[0] != kind || strspn(name + 1, "0123456789") != NAME_BYTES - 1)
        return NOBODY;
    return atoi(name + 1);
}

static void log_in(struct connection *c, const char *name, const char *password)
{
    int user = user_called(name, 'u');
    if (user == NOBODY || user_called(password, 'p') != user) {
        say(c, "%s NO [AUTHENTICATIONFAILED] no such user or password\r\n", c->tag);
        return;
    }
    c->user = user;
    counts.logins++;
    say(c, "%s OK [CAPABILITY " CAPABILITIES "] Logged in\r\n", c->tag);
}

static int decode_base64(const char *text, char *out, int size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    int held = 0, length = 0;
    for (; *text && *text != '='; text++) {
        const char *letter = strchr(letters, *text);
        if (!letter || length >= size)
            return -1;
        bits = bits << 6 | (unsigned)(letter - letters);
        if ((held += 6) >= 8)
            out[length++] = (char)(bits >> (held -= 8));
    }
    return length;
}

/* authzid NUL name NUL password (RFC 4616). The authzid must be empty. */
static void log_in_plain(struct connection *c, const char *text)
{
    char plain[256];
    int length = decode_base64(text, plain, sizeof plain - 1);
    c->in_auth = 0;
    if (length < 0 || plain[0] != 0 || !memchr(plain + 1, 0, (size_t)length)) {
        refuse(c, "AUTHENTICATE PLAIN with a bad response");
        return;
    }
    plain[length] = 0;
    log_in(c, plain + 1, plain + 1 + strlen(plain + 1) + 1);
}

static void select_mailbox(struct connection *c, char *arguments)
{
    char mailbox[64];
    if (!take_string(&arguments, mailbox, sizeof mailbox) || *arguments) {
        refuse(c, "SELECT with bad arguments");
        return;
    }
    c->selected = !strcasecmp(mailbox, "INBOX");
    if (!c->selected) {
        say(c, "%s NO [NONEXISTENT] no such mailbox\r\n", c->tag);
        return;
    }
    say(c,
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.\r\n"
        "* 2 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] UIDs valid\r\n* OK [UIDNEXT 3] Predicted next UID\r\n"
        "%s OK [READ-WRITE] Select completed.\r\n",
        c->user + 1, c->tag);
}

static void fetch(struct connection *c, const char *arguments)
{
    int message = arguments[0] - '0';
    if (!c->selected || (message != 1 && message != 2) || strcasecmp(arguments + 1, " BODY.PEEK[]")) {
        refuse(c, "FETCH with bad arguments, or with no mailbox selected");
        return;
    }
    c->body_left = message == 1 ? BLOCK_BYTES : (long)BLOCK_BYTES * LARGE_BLOCKS;
    say(c, "* %d FETCH (BODY[] {%ld}\r\n", message, c->body_left);
    c->tail_at = 0;
    c->tail_length = snprintf(c->tail, sizeof c->tail, ")\r\n%s OK Fetch completed.\r\n", c->tag);
}

static void obey_before_login(struct connection *c, const char *verb, char *arguments)
{
    char name[64], password[64];
    if (!strcasecmp(verb, "LOGIN")) {
        if (take_string(&arguments, name, sizeof name) && take_string(&arguments, password, sizeof password) && !*arguments)
            log_in(c, name, password);
        else
            refuse(c, "LOGIN with bad arguments");
    } else if (!strcasecmp(verb, "AUTHENTICATE") && !strncasecmp(arguments, "PLAIN", 5)) {
        if (arguments[5] == ' ')
            log_in_plain(c, arguments + 6);
        else if (!arguments[5])
            c->in_auth = 1, say(c, "+ \r\n");
        else
            refuse(c, "AUTHENTICATE with bad arguments");
    } else {
        refuse(c, verb);
    }
}

static void obey_after_login(struct connection *c, const char *verb, char *arguments)
{
    char mailbox[64];
    if (!strcasecmp(verb, "SELECT") || !strcasecmp(verb, "EXAMINE")) {
        select_mailbox(c, arguments);
    } else if (!strcasecmp(verb, "FETCH")) {
        fetch(c, arguments);
    } else if (!strcasecmp(verb, "STATUS")) {
        if (take_string(&arguments, mailbox, sizeof mailbox) && !strcasecmp(arguments, "(MESSAGES UNSEEN)"))
            say(c, "* STATUS %s (MESSAGES %d UNSEEN 0)\r\n%s OK Status completed.\r\n", mailbox, c->user, c->tag);
        else
            refuse(c, "STATUS with bad arguments");
    } else if (!strcasecmp(verb, "UNSELECT") && !*arguments) {
        say(c, c->selected ? "%s OK Unselect completed.\r\n" : "%s BAD No mailbox selected.\r\n", c->tag);
        c->selected = 0;
    } else {
        refuse(c, verb);
    }
}

static void obey(struct connection *c, char *line)
{
    char shown[96];
    snprintf(shown, sizeof shown, "%s", line);
    counts.commands++;
    if (c->in_auth) {
        log_in_plain(c, line);
        return;
    }
    size_t tag = strcspn(line, " "), verb;
    if (tag == 0 || tag >= sizeof c->tag || line[tag] != ' ' || strspn(line, "+*(){%\"\\") ||
        !(verb = strspn(line + tag + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))) {
        refuse(c, shown);
        return;
    }
    memcpy(c->tag, line, tag);
    c->tag[tag] = 0;
    char *command = line + tag + 1, *arguments = command + verb;
    if (*arguments == ' ')
        *arguments++ = 0;
    else if (*arguments) {
        refuse(c, shown);
        return;
    }
    if (!strcasecmp(command, "CAPABILITY") && !*arguments) {
        say(c, "* CAPABILITY " CAPABILITIES "\r\n%s OK Capability completed.\r\n", c->tag);
    } else if (!strcasecmp(command, "NOOP") && !*arguments) {
        say(c, "%s OK Noop completed.\r\n", c->tag);
    } else if (!strcasecmp(command, "ID") && *arguments) {
        say(c, "* ID (\"name\" \"stub\")\r\n%s OK Id completed.\r\n", c->tag);
    } else if (!strcasecmp(command, "LOGOUT") && !*arguments) {
        say(c, "* BYE Logging out\r\n%s OK Logout completed.\r\n", c->tag);
        c->leaving = 1;
    } else if (c->user == NOBODY) {
        obey_before_login(c, command, arguments);
    } else {
        obey_after_login(c, command, arguments);
    }
}

/* Writes pending data. Returns 1 if all was written, 0 if the peer must read first, -1 if the connection is broken. */
static int flush(struct connection *c)
{
    while (c->head_at < c->head_length || c->body_left || c->tail_at < c->tail_length) {
        struct iovec parts[LARGE_BLOCKS + 3];
        int count = 0;
        if (c->head_at < c->head_length)
            parts[count++] = (struct iovec){c->head + c->head_at, (size_t)(c->head_length - c->head_at)};
        for (long left = c->body_left; left > 0;) {
            long length = left % BLOCK_BYTES ? left % BLOCK_BYTES : BLOCK_BYTES;
            parts[count++] = (struct iovec){(char *)block_of((unsigned)c->user) + BLOCK_BYTES - length, (size_t)length};
            left -= length;
        }
        if (c->tail_at < c->tail_length)
            parts[count++] = (struct iovec){c->tail + c->tail_at, (size_t)(c->tail_length - c->tail_at)};
        long written = writev(c->fd, parts, count);
        if (written < 0)
            return errno == EAGAIN ? 0 : -1;
        long head = c->head_length - c->head_at < written ? c->head_length - c->head_at : written;
        c->head_at += (int)head;
        long body = c->body_left < written - head ? c->body_left : written - head;
        c->body_left -= body;
        c->tail_at += (int)(written - head - body);
    }
    c->head_at = c->head_length = c->tail_at = c->tail_length = 0;
    return 1;
}

/* Carries out the complete lines received so far, one reply at a time. Returns -1 if the connection must be closed. */
static int work(struct connection *c)
{
    int at = 0, flushed;
    while ((flushed = flush(c)) == 1 && !c->leaving) {
        char *end = memchr(c->in + at, '\n', (size_t)(c->length - at));
        if (!end)
            break;
        char *line = c->in + at;
        at = (int)(end - c->in) + 1;
        if (end == line || end[-1] != '\r' || memchr(line, 0, (size_t)(end - line))) {
            refuse(c, "a line that does not end in CR LF, or holds NUL");
            continue;
        }
        end[-1] = 0;
        obey(c, line);
    }
    memmove(c->in, c->in + at, (size_t)(c->length -= at));
    if (flushed < 0 || (flushed == 1 && c->leaving))
        return -1;
    uint32_t events = flushed == 1 ? EPOLLIN : EPOLLOUT;
    if (events != c->events)
        watch(epoll, EPOLL_CTL_MOD, c->fd, c->events = events, c);
    return 0;
}

static void serve(struct connection *c, uint32_t events)
{
    if (!(events & EPOLLOUT)) {
        if (c->length == LINE_MAX_BYTES)
            refuse(c, "a line that is too long");
        long got = read(c->fd, c->in + c->length, (size_t)(LINE_MAX_BYTES - c->length));
        if (got <= 0) {
            if (got == 0 && c->length && counts.errors++ < 10)
                fprintf(stderr, "stub: the peer left in the middle of a command\n");
            hang_up(c);
            return;
        }
        c->length += (int)got;
    }
    if (work(c) < 0)
        hang_up(c);
}

static void welcome(int listener)
{
    int fd = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            die("stub: too many open files; raise `ulimit -n`");
        return;
    }
    no_delay(fd);
    struct connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->user = NOBODY;
    counts.accepted++;
    counts.open++;
    watch(epoll, EPOLL_CTL_ADD, fd, c->events = EPOLLIN, c);
    say(c, "* OK [CAPABILITY " CAPABILITIES "] stub ready.\r\n");
    if (work(c) < 0)
        hang_up(c);
}

int main(int count, char **arguments)
{
    if (count != 2)
        die("usage: stub PORT");
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, 0);
    sigaction(SIGINT, &action, 0);
    sigaction(SIGUSR1, &action, 0);
    signal(SIGPIPE, SIG_IGN);
    raise_open_files();
    int listener = listen_on((int)number("PORT", arguments[1], 1, 65535));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, 0);
    struct epoll_event events[256];
    while (!asked_to_stop) {
        int ready = epoll_wait(epoll, events, 256, -1);
        if (asked_to_tell) {
            asked_to_tell = 0;
            tell();
        }
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                welcome(listener);
        }
    }
    tell();
    return counts.errors > 0;
}
