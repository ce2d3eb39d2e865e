/*
 * Runs IMAP sessions against a port and checks every byte of every reply: tags, order, literal lengths, and that each
 * user gets only that user's mailbox. It sends one command at a time, over one TCP connection per session, like a webmail
 * page. Prints one JSON line: counts, latencies in nanoseconds, and the CPU time of the watched processes.
 *
 *   load --port P --at-once N --users U --script LETTERS (--seconds S | --sessions N) [--watch PID,PID] [--hang-up]
 *
 * Letters: L login, S select, F fetch 4 KB, B fetch 1 MB, T status, N noop, Q logout (always last).
 * Each session is for the user whose last session ended first, like the clicks of many people.
 */
#define _GNU_SOURCE
#include "loop.h"
#include "mailbox.h"
#include <getopt.h>
#include <signal.h>

enum { READ_BYTES = 262144, LINE_MAX_BYTES = 1024, SCRIPT_MAX = 64, WATCHED_MAX = 16, FAILURES_MAX = 100 };
/* Without an answer for `patience`, the connection counts as lost. The slots start with a pause between them, because
 * imapproxy's accept queue holds 5 connections and drops others. */
static const uint64_t patience_ns = 5000000000u, start_pause_ns = 2000000u, settle_ns = 250000000u;

struct slot {
    int fd, step; /* step -1: waits for the greeting; at the end of the script: waits for the server to close */
    int length, closing;
    unsigned user;
    long literal_left, literal_at;
    int seen_bye, seen_exists, seen_validity, seen_status, seen_fetch;
    uint64_t began, sent, heard;
    char rest[LINE_MAX_BYTES];
};

struct samples { uint64_t *values; long count, room; };

static struct {
    int port, hang_up;
    long at_once, users, seconds, sessions;
    const char *script;
    int watched_count;
    long watched[WATCHED_MAX];
} options;

static struct samples session_times, login_times;
static long started, finished, in_time, failures, stalled, reused, live;
static uint64_t deadline, last_finish;
static int epoll;
static char *incoming;
static unsigned *rested; /* ring of the users without a session */
static long rested_at, rested_count;

static void add(struct samples *s, uint64_t value)
{
    if (s->count == s->room)
        s->values = realloc(s->values, (size_t)(s->room = s->room ? s->room * 2 : 65536) * sizeof *s->values);
    s->values[s->count++] = value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void tell_samples(const char *name, struct samples *s)
{
    static const double shares[] = {0.5, 0.9, 0.99, 1};
    static const char *names[] = {"p50", "p90", "p99", "max"};
    if (s->count)
        qsort(s->values, (size_t)s->count, sizeof *s->values, compare);
    printf("\"%s\":{", name);
    for (int i = 0; i < 4; i++) {
        long at = (long)(shares[i] * (double)s->count);
        at = at >= s->count ? s->count - 1 : at;
        printf("%s\"%s\":%llu", i ? "," : "", names[i], s->count ? (unsigned long long)s->values[at] : 0ull);
    }
    printf("},");
}

/* User and system time of a process, including ended threads, from the kernel's scheduler. */
static uint64_t cpu_ns(long pid)
{
    struct timespec t;
    clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | 2);
    if (clock_gettime(clock, &t))
        die("cannot read the CPU time of process %ld: %s", pid, strerror(errno));
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void begin(struct slot *s);

static void rest(struct slot *s)
{
    close(s->fd);
    s->fd = -1;
    live--;
    rested[(rested_at + rested_count++) % options.users] = s->user;
    begin(s);
}

static void fail(struct slot *s, const char *reason, const char *line)
{
    if (failures++ < 5)
        fprintf(stderr, "load: user u%06u, step %d of %s: %s: %.200s\n", s->user, s->step, options.script, reason, line);
    if (failures == FAILURES_MAX)
        die("load: %d sessions failed, giving up", FAILURES_MAX);
    rest(s);
}

static int wants_more(void)
{
    return options.sessions ? started < options.sessions : now_ns() < deadline;
}

static void begin(struct slot *s)
{
    if (!wants_more())
        return;
    unsigned user = rested[rested_at];
    rested_at = (rested_at + 1) % options.users;
    rested_count--;
    memset(s, 0, sizeof *s);
    s->user = user;
    s->step = -1;
    s->began = s->heard = now_ns();
    s->fd = connect_to(options.port);
    if (s->fd < 0)
        die("load: cannot connect to 127.0.0.1:%d: %s", options.port, strerror(errno));
    started++;
    live++;
    watch(epoll, EPOLL_CTL_ADD, s->fd, EPOLLIN, s);
}

/* Sends the next command. Returns 0, or why the session failed. */
static const char *ask(struct slot *s)
{
    static const char *commands[128] = {
        ['S'] = "SELECT INBOX", ['F'] = "FETCH 1 BODY.PEEK[]", ['B'] = "FETCH 2 BODY.PEEK[]", ['N'] = "NOOP",
        ['T'] = "STATUS INBOX (MESSAGES UNSEEN)", ['Q'] = "LOGOUT"};
    char line[128], name[NAME_BYTES + 1], password[NAME_BYTES + 1];
    char letter = options.script[++s->step];
    int length;
    if (letter == 'L') {
        write_name(name, 'u', s->user);
        write_name(password, 'p', s->user);
        length = snprintf(line, sizeof line, "a%d LOGIN %s %s\r\n", s->step + 1, name, password);
    } else {
        length = snprintf(line, sizeof line, "a%d %s\r\n", s->step + 1, commands[(int)letter]);
    }
    s->seen_bye = s->seen_exists = s->seen_validity = s->seen_status = s->seen_fetch = 0;
    s->sent = now_ns();
    return write(s->fd, line, (size_t)length) == length ? 0 : "the command could not be written";
}

/* What the untagged replies must contain before the tagged OK of this letter. */
static int complete(const struct slot *s, char letter)
{
    switch (letter) {
    case 'S':
        return s->seen_exists == 1 && s->seen_validity == 1;
    case 'F':
    case 'B':
        return s->seen_fetch == 1;
    case 'T':
        return s->seen_status == 1;
    case 'Q':
        return s->seen_bye == 1;
    default:
        return 1;
    }
}

static const char *take_untagged(struct slot *s, char letter, const char *line)
{
    unsigned value;
    int message, end = 0;
    long bytes;
    if (letter == 'L') {
        if (strncmp(line, "* OK [XPROXYREUSE]", 18) == 0)
            reused++;
        else if (strncmp(line, "* CAPABILITY ", 13))
            return "not expected before the OK of LOGIN";
    } else if (letter == 'S') {
        if (sscanf(line, "* OK [UIDVALIDITY %u]", &value) == 1) {
            s->seen_validity++;
            if (value != s->user + 1)
                return "the mailbox of another user";
        } else if (!strcmp(line, "* 2 EXISTS"))
            s->seen_exists++;
        else if (strcmp(line, "* 0 RECENT") && strncmp(line, "* FLAGS (", 9) && strncmp(line, "* OK [PERMANENTFLAGS", 20) &&
                 strcmp(line, "* OK [UIDNEXT 3] Predicted next UID"))
            return "not expected in the reply to SELECT";
    } else if (letter == 'F' || letter == 'B') {
        if (s->seen_fetch == 1 && !strcmp(line, ")"))
            return 0;
        if (sscanf(line, "* %d FETCH (BODY[] {%ld}%n", &message, &bytes, &end) != 2 || !end || line[end] ||
            message != (letter == 'F' ? 1 : 2) || bytes != (letter == 'F' ? 1l : (long)LARGE_BLOCKS) * BLOCK_BYTES)
            return "not expected in the reply to FETCH";
        s->seen_fetch++;
        s->literal_left = bytes;
        s->literal_at = 0;
    } else if (letter == 'T') {
        char expected[64];
        snprintf(expected, sizeof expected, "* STATUS INBOX (MESSAGES %u UNSEEN 0)", s->user);
        if (strcmp(line, expected))
            return "not the STATUS of this user";
        s->seen_status++;
    } else if (letter == 'Q' && !strncmp(line, "* BYE", 5)) {
        s->seen_bye++;
    } else {
        return "not expected";
    }
    return 0;
}

/* One line without its CR LF. Returns 0, or why the session failed. */
static const char *take_line(struct slot *s, const char *line)
{
    if (s->step < 0) {
        if (strncmp(line, "* OK", 4))
            return "not a greeting";
        return ask(s);
    }
    char letter = options.script[s->step], tag[16];
    if (!letter)
        return "bytes after the end of the session";
    if (*line != 'a')
        return take_untagged(s, letter, line);
    int length = snprintf(tag, sizeof tag, "a%d OK", s->step + 1);
    if (strncmp(line, tag, (size_t)length))
        return "not the OK that was awaited";
    if (!complete(s, letter))
        return "OK before everything that was asked for";
    uint64_t now = s->heard = now_ns();
    if (letter == 'L')
        add(&login_times, now - s->sent);
    if (options.script[s->step + 1])
        return ask(s);
    add(&session_times, now - s->began);
    finished++;
    in_time += now <= deadline;
    last_finish = now;
    s->step++;
    s->closing = options.hang_up;
    return 0;
}

/* Checks the next `length` bytes of a reply. Returns 0, or why the session failed. */
static const char *take(struct slot *s, char *bytes, long length, const char **culprit)
{
    long at = 0;
    while (at < length) {
        if (s->literal_left) {
            long part = BLOCK_BYTES - s->literal_at;
            part = part > s->literal_left ? s->literal_left : part;
            part = part > length - at ? length - at : part;
            if (memcmp(bytes + at, block_of(s->user) + s->literal_at, (size_t)part))
                return *culprit = "(body)", "a body that is not this user's";
            s->literal_at = (s->literal_at + part) % BLOCK_BYTES;
            s->literal_left -= part;
            at += part;
            continue;
        }
        char *end = memchr(bytes + at, '\n', (size_t)(length - at));
        if (!end)
            break;
        char *line = bytes + at;
        if (end == line || end[-1] != '\r')
            return *culprit = "(bare LF)", "a line that does not end in CR LF";
        end[-1] = 0;
        at = end + 1 - bytes;
        const char *reason = take_line(s, line);
        if (reason)
            return *culprit = line, reason;
    }
    if (length - at > LINE_MAX_BYTES)
        return *culprit = "(long line)", "a line that is too long";
    memcpy(s->rest, bytes + at, (size_t)(s->length = (int)(length - at)));
    return 0;
}

static void on_readable(struct slot *s)
{
    memcpy(incoming, s->rest, (size_t)s->length);
    long got = read(s->fd, incoming + s->length, READ_BYTES);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return;
        if (s->step >= 0 && !options.script[s->step] && s->length == 0 && got == 0)
            rest(s);
        else
            fail(s, "the connection ended too early", got < 0 ? strerror(errno) : "closed");
        return;
    }
    const char *culprit = 0, *reason = take(s, incoming, s->length + got, &culprit);
    if (reason)
        fail(s, reason, culprit);
    else if (s->closing)
        rest(s);
}

static void pause_ns(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    nanosleep(&t, 0);
}

static void parse(int count, char **arguments)
{
    static const struct option known[] = {
        {"port", 1, 0, 'p'}, {"at-once", 1, 0, 'c'}, {"users", 1, 0, 'u'}, {"script", 1, 0, 's'}, {"seconds", 1, 0, 't'},
        {"sessions", 1, 0, 'n'}, {"watch", 1, 0, 'w'}, {"hang-up", 0, 0, 'h'}, {0, 0, 0, 0}};
    options.at_once = options.users = 1;
    options.script = "LSFQ";
    for (int letter; (letter = getopt_long(count, arguments, "", known, 0)) != -1;) {
        if (letter == 'p')
            options.port = (int)number("--port", optarg, 1, 65535);
        else if (letter == 'c')
            options.at_once = number("--at-once", optarg, 1, 10000);
        else if (letter == 'u')
            options.users = number("--users", optarg, 1, USERS_MAX);
        else if (letter == 't')
            options.seconds = number("--seconds", optarg, 1, 3600);
        else if (letter == 'n')
            options.sessions = number("--sessions", optarg, 1, 100000000);
        else if (letter == 's')
            options.script = optarg;
        else if (letter == 'h')
            options.hang_up = 1;
        else if (letter == 'w')
            for (char *part = strtok(optarg, ","); part && options.watched_count < WATCHED_MAX; part = strtok(0, ","))
                options.watched[options.watched_count++] = number("--watch", part, 1, 1l << 22);
        else
            exit(2);
    }
    size_t length = strlen(options.script);
    if (length < 2 || length > SCRIPT_MAX || strspn(options.script, "LSFBTNQ") != length || options.script[length - 1] != 'Q')
        die("--script must be letters of LSFBTNQ and end in Q");
    if (!options.port || options.users < options.at_once || !options.seconds == !options.sessions)
        die("needs --port, --users of at least --at-once, and either --seconds or --sessions");
}

static void give_up_on_stalled(struct slot *slots, uint64_t now)
{
    for (long i = 0; i < options.at_once; i++)
        if (slots[i].fd >= 0 && now - slots[i].heard > patience_ns) {
            stalled++;
            rest(&slots[i]);
        }
}

static void run(struct slot *slots)
{
    struct epoll_event events[256];
    uint64_t began = now_ns(), looked = began, now;
    long slots_started = 0;
    while (slots_started < options.at_once || live) {
        int starting = slots_started < options.at_once;
        int ready = epoll_wait(epoll, events, 256, starting ? 1 : 1000);
        for (int i = 0; i < ready; i++)
            on_readable(events[i].data.ptr);
        if (!starting && ready == 256)
            continue;
        now = now_ns();
        for (; slots_started < options.at_once && now - began >= (uint64_t)slots_started * start_pause_ns; slots_started++)
            begin(&slots[slots_started]);
        if (now - looked > 1000000000u) {
            looked = now;
            give_up_on_stalled(slots, now);
        }
    }
}

int main(int count, char **arguments)
{
    parse(count, arguments);
    signal(SIGPIPE, SIG_IGN);
    raise_open_files();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    incoming = malloc(READ_BYTES + LINE_MAX_BYTES);
    rested = malloc((size_t)options.users * sizeof *rested);
    for (rested_count = 0; rested_count < options.users; rested_count++)
        rested[rested_count] = (unsigned)rested_count;
    struct slot *slots = calloc((size_t)options.at_once, sizeof *slots);

    uint64_t before[WATCHED_MAX], own = cpu_ns(getpid());
    for (int i = 0; i < options.watched_count; i++)
        before[i] = cpu_ns(options.watched[i]);
    for (long i = 0; i < options.at_once; i++)
        slots[i].fd = -1;
    uint64_t began = now_ns();
    deadline = options.seconds ? began + (uint64_t)options.seconds * 1000000000u : UINT64_MAX;
    run(slots);
    uint64_t took = options.seconds ? (uint64_t)options.seconds * 1000000000u : last_finish - began;
    own = cpu_ns(getpid()) - own;
    /* Work of a proxy after its client has disconnected belongs to the session too. */
    pause_ns(settle_ns);

    printf("{\"sessions\":%ld,\"inTime\":%ld,\"failures\":%ld,\"stalled\":%ld,\"reused\":%ld,\"elapsed\":%llu,", finished,
           in_time, failures, stalled, reused, (unsigned long long)took);
    tell_samples("session", &session_times);
    tell_samples("login", &login_times);
    printf("\"cpu\":{\"own\":%llu,\"watched\":[", (unsigned long long)own);
    for (int i = 0; i < options.watched_count; i++)
        printf("%s%llu", i ? "," : "", (unsigned long long)(cpu_ns(options.watched[i]) - before[i]));
    printf("]}}\n");
    return failures > 0;
}
