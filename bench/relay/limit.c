/* The least a chat server could do: no storage, no accounts, no rules.
 *
 * A connection's first four bytes are its room; at the start and after them the server says "in".
 * Then frames follow: two bytes of length, most significant first, and a payload. Every
 * frame goes to everybody in the room; what one read brings goes to each in one write.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536
#define ROOMS 65536
#define EVENTS 256

struct line {
    int fd;
    struct line **room, *next;   /* the room, and who else is in it */
    bool is_blocked;
    uint8_t *in, *out;
    size_t in_size, out_size, out_begun, out_capacity;
};

static struct line *rooms[ROOMS];
static int epoll;

static void watch(struct line *line, int operation) {
    struct epoll_event event = {
        .events = EPOLLIN | (line->is_blocked ? EPOLLOUT : 0),
        .data.ptr = line,
    };
    epoll_ctl(epoll, operation, line->fd, &event);
}

static void keep(struct line *line, const uint8_t *data, size_t size) {
    if (line->out_size + size > line->out_capacity) {
        line->out_capacity = 2 * (line->out_size + size);
        line->out = realloc(line->out, line->out_capacity);
    }
    memcpy(line->out + line->out_size, data, size);
    line->out_size += size;
    if (line->is_blocked) return;
    line->is_blocked = true;
    watch(line, EPOLL_CTL_MOD);
}

static void put(struct line *line, const uint8_t *data, size_t size) {
    ssize_t sent = line->is_blocked ? 0 : send(line->fd, data, size, MSG_NOSIGNAL);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < size) keep(line, data + done, size - done);
}

static void write_more(struct line *line) {
    ssize_t sent = send(line->fd, line->out + line->out_begun,
                        line->out_size - line->out_begun, MSG_NOSIGNAL);
    if (sent > 0) line->out_begun += (size_t)sent;
    if (line->out_begun < line->out_size) return;
    line->out_begun = line->out_size = 0;
    line->is_blocked = false;
    watch(line, EPOLL_CTL_MOD);
}

static void leave(struct line *line) {
    struct line **at = line->room;
    while (at && *at != line) at = &(*at)->next;
    if (at) *at = line->next;
    close(line->fd);
    free(line->in);
    free(line->out);
    free(line);
}

static void drop(struct line *line, size_t size) {
    line->in_size -= size;
    memmove(line->in, line->in + size, line->in_size);
}

static void enter(struct line *line) {
    line->room = &rooms[line->in[2] << 8 | line->in[3]];
    line->next = *line->room;
    *line->room = line;
    drop(line, 4);
    put(line, (const uint8_t *)"in", 2);
}

static size_t whole_frames(const uint8_t *data, size_t size) {
    size_t at = 0;
    while (at + 2 <= size) {
        size_t frame = 2 + ((size_t)data[at] << 8 | data[at + 1]);
        if (at + frame > size) break;
        at += frame;
    }
    return at;
}

static void read_more(struct line *line) {
    ssize_t got = recv(line->fd, line->in + line->in_size, CHUNK - line->in_size, 0);
    if (got <= 0) {
        leave(line);
        return;
    }
    line->in_size += (size_t)got;
    if (!line->room && line->in_size >= 4) enter(line);
    if (!line->room) return;
    size_t whole = whole_frames(line->in, line->in_size);
    if (!whole) return;
    for (struct line *one = *line->room; one; one = one->next) put(one, line->in, whole);
    drop(line, whole);
}

static void accept_one(int listener) {
    struct line *line = calloc(1, sizeof *line);
    line->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (line->fd < 0) {
        free(line);
        return;
    }
    line->in = malloc(CHUNK);
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    watch(line, EPOLL_CTL_ADD);
    put(line, (const uint8_t *)"in", 2);
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) exit(1);
    if (listen(listener, 1024)) exit(1);
    return listener;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    int listener = listen_on((uint16_t)atoi(arguments[1]));
    epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct line *line = events[i].data.ptr;
            if (!line) accept_one(listener);
            else {
                if (events[i].events & EPOLLOUT) write_more(line);
                if (events[i].events & ~(uint32_t)EPOLLOUT) read_more(line);
            }
        }
    }
}
