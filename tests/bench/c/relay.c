/*
 * A distant server: relays TCP connections and delays every byte by a fixed time in each direction. It connects to the server
 * after three times that delay, because a real connection needs one round trip to open, and its greeting half of one. For
 * light pages only, because it does not model bandwidth.
 *
 *   relay PORT ONWARD_PORT DELAY_MS
 */
#define _GNU_SOURCE
#include "loop.h"
#include <poll.h>
#include <signal.h>

enum { CHUNK_BYTES = 65536 };

struct wire;

struct end { struct wire *wire; int fd, ended; };

struct wire { struct end client, server; int in_flight; };

/* Delayed bytes for one end. No bytes: the other end has closed. */
struct parcel { struct parcel *next; struct end *to; uint64_t due; long length; char bytes[]; };

/* All have the same delay, so each queue is ordered by due time. */
struct queue { struct parcel *first, **last; };

static struct queue dials = {0, &dials.first}, parcels = {0, &parcels.first};
static int epoll, onward_port;
static uint64_t delay_ns;

static void send_off(struct queue *queue, struct end *to, uint64_t delay, const char *bytes, long length)
{
    struct parcel *p = malloc(sizeof *p + (size_t)length);
    *p = (struct parcel){.to = to, .due = now_ns() + delay, .length = length};
    if (length)
        memcpy(p->bytes, bytes, (size_t)length);
    *queue->last = p;
    queue->last = &p->next;
    to->wire->in_flight++;
}

static struct parcel *arrived(struct queue *queue, uint64_t now)
{
    struct parcel *p = queue->first;
    if (!p || p->due > now)
        return 0;
    if (!(queue->first = p->next))
        queue->last = &queue->first;
    p->to->wire->in_flight--;
    return p;
}

static struct end *other(struct end *end)
{
    return end == &end->wire->client ? &end->wire->server : &end->wire->client;
}

static void stop_reading(struct end *end)
{
    if (end->ended)
        return;
    end->ended = 1;
    watch(epoll, EPOLL_CTL_DEL, end->fd, 0, 0);
    send_off(&parcels, other(end), delay_ns, 0, 0);
}

static void take_down(struct wire *w)
{
    if (!w->client.ended || !w->server.ended || w->in_flight)
        return;
    close(w->client.fd);
    if (w->server.fd >= 0)
        close(w->server.fd);
    free(w);
}

static void dial(struct wire *w)
{
    int fd = connect_to(onward_port);
    if (fd < 0)
        die("relay: cannot connect to 127.0.0.1:%d", onward_port);
    no_delay(fd);
    w->server.fd = fd;
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, &w->server);
    watch(epoll, EPOLL_CTL_ADD, w->client.fd, EPOLLIN, &w->client);
}

static void deliver(struct parcel *p)
{
    struct end *to = p->to;
    if (!p->length)
        shutdown(to->fd, SHUT_WR);
    for (long at = 0; at < p->length;) {
        long written = write(to->fd, p->bytes + at, (size_t)(p->length - at));
        if (written < 0 && errno != EAGAIN) {
            stop_reading(to);
            break;
        }
        if (written < 0)
            poll(&(struct pollfd){.fd = to->fd, .events = POLLOUT}, 1, 1000);
        else
            at += written;
    }
}

static void welcome(int listener)
{
    int fd = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    no_delay(fd);
    struct wire *w = calloc(1, sizeof *w);
    w->client = (struct end){w, fd, 0};
    w->server = (struct end){w, -1, 0};
    send_off(&dials, &w->server, 3 * delay_ns, 0, 0);
}

static void take_in(struct end *end)
{
    static char bytes[CHUNK_BYTES];
    long got = read(end->fd, bytes, sizeof bytes);
    if (got > 0)
        send_off(&parcels, other(end), delay_ns, bytes, got);
    else if (got == 0 || errno != EAGAIN)
        stop_reading(end);
}

static void deliver_all(void)
{
    uint64_t now = now_ns();
    struct parcel *p;
    while ((p = arrived(&dials, now))) {
        dial(p->to->wire);
        free(p);
    }
    while ((p = arrived(&parcels, now))) {
        struct wire *w = p->to->wire;
        deliver(p);
        free(p);
        take_down(w);
    }
}

static struct timespec until_next(void)
{
    uint64_t now = now_ns(), due = now + 1000000000u;
    if (dials.first && dials.first->due < due)
        due = dials.first->due;
    if (parcels.first && parcels.first->due < due)
        due = parcels.first->due;
    uint64_t wait = due > now ? due - now : 0;
    return (struct timespec){.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
}

int main(int count, char **arguments)
{
    if (count != 4)
        die("usage: relay PORT ONWARD_PORT DELAY_MS");
    signal(SIGPIPE, SIG_IGN);
    raise_open_files();
    int listener = listen_on((int)number("PORT", arguments[1], 1, 65535));
    onward_port = (int)number("ONWARD_PORT", arguments[2], 1, 65535);
    delay_ns = (uint64_t)number("DELAY_MS", arguments[3], 0, 10000) * 1000000u;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, 0);
    struct epoll_event events[256];
    for (;;) {
        struct timespec wait = until_next();
        int ready = epoll_pwait2(epoll, events, 256, &wait, 0);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr)
                take_in(events[i].data.ptr);
            else
                welcome(listener);
        }
        deliver_all();
    }
}
