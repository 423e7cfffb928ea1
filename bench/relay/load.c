/* The load generator's core: who writes when, and what everybody got.
 *
 * A member is a connection in a room; some members write. A message is a payload of
 * printable bytes within whatever the system under test puts around it:
 *
 *     marker | writer | number of the writer's message | when it was due | filler
 *
 * so one scanner reads every protocol: it looks for the marker, and compares everything
 * behind it with what was sent. It knows nothing else about a protocol. Checked at every
 * member, for every delivery: content, the order of each writer, and (where the system
 * promises it) that all members of a room see all writers in the same order.
 *
 * Latency counts from the moment a message was due, not from when it was sent.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#else
typedef void SSL;
#endif

#define MARKER "@tertulia@"
#define MARKER_SIZE 10
#define HEADER_SIZE (MARKER_SIZE + 4 + 8 + 16)
#define POOL_SIZE 65536          /* filler comes from here, at an offset of its own */
#define CHUNK (256 * 1024)       /* read at once */
#define TAIL 4096                /* an unfinished payload, kept for the next read */
#define MESSAGES (1 << 20)       /* under way in all, at most */
#define BUCKETS (64 * 64)        /* 64 to each power of two: 1.6 % wide */
#define EVENTS 256
#define NUMBERS 4
#define KEEP_ALIVE 10000000000LL /* nanoseconds */

/* A connection, blocking until a run begins. */
struct link {
    int fd;
    SSL *tls;
};

struct number {
    uint32_t at, width;
};

struct message {
    int64_t due;
    uint32_t receipts;
};

struct writer {
    struct member *member;
    uint32_t room;
    uint8_t *frame;
    uint32_t size, payload_at, count;
    struct number numbers[NUMBERS];
    uint32_t sent, done;
    struct message *messages;
};

struct member {
    struct link *link;
    uint32_t room, place;        /* place: deliveries so far */
    struct writer *writer;
    uint32_t *expected;          /* by writer of the room: the next number */
    uint64_t received, sent_before;
    uint8_t *tail, *out;
    size_t tail_size, out_size, out_begun, out_capacity, gap;
    bool is_dirty, is_blocked, is_closed;
};

struct room {
    uint32_t members, writers, first_writer, entries;
    uint64_t *order;             /* a ring: writer and number of each entry */
};

/* Packed and unpacked in load.py, field by field. */
struct plan {
    double rate;                 /* messages a second; 0: as many as get through */
    double seconds;
    double patience;             /* seconds without any delivery until we give up */
    uint64_t seed;
    uint32_t window;             /* rate 0: messages of each writer under way */
};

struct outcome {
    double seconds, cpu;
    uint64_t messages, deliveries, bytes;
    uint64_t altered, reordered, disagreed, unknown, missing, hung_up, overrun;
    uint64_t latency[BUCKETS], lateness[BUCKETS];
};

struct load {
    uint32_t payload, ring, echoes, ordered;
    uint32_t room_count, member_count, writer_count;
    struct room *rooms;
    struct member *members;
    struct writer *writers;
    uint8_t *pool, *buffer;
    uint8_t answer[16], alive[64];
    uint32_t answer_size, answer_take, alive_size;
    struct member **dirty;
    uint32_t dirty_count;
    struct member *captured;
    uint8_t *capture;
    size_t capture_size, capture_capacity;
    int epoll;
    uint64_t chance;
    /* this run */
    const struct plan *plan;
    struct outcome *outcome;
    int64_t now, end, next_due, progress;
    uint64_t under_way;
    bool is_writing;
};

static int64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static double cpu_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t next_random(struct load *load) {
    uint64_t word = load->chance;
    word ^= word << 13;
    word ^= word >> 7;
    word ^= word << 17;
    return load->chance = word;
}

static uint32_t bucket_of(int64_t nanoseconds) {
    uint64_t value = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;
    if (value < 64) return (uint32_t)value;
    uint32_t power = 63 - (uint32_t)__builtin_clzll(value);
    return (power - 5) * 64 + (uint32_t)((value >> (power - 6)) & 63);
}

/* Links */

#ifdef WITH_TLS
static SSL_CTX *tls_context(void) {
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_read_ahead(context, 1);
        SSL_CTX_set_default_read_buffer_len(context, CHUNK / 2);
    }
    return context;
}

static SSL *tls_client(int fd) {
    SSL *tls = SSL_new(tls_context());
    if (!tls || SSL_set_fd(tls, fd) != 1 || SSL_connect(tls) != 1) {
        SSL_free(tls);
        return NULL;
    }
    return tls;
}

static ssize_t tls_result(SSL *tls, int size) {
    int error = SSL_get_error(tls, size);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    return error == SSL_ERROR_ZERO_RETURN ? 0 : (errno = EIO, -1);
}
#endif

int load_has_tls(void) {
#ifdef WITH_TLS
    return 1;
#else
    return 0;
#endif
}

static ssize_t read_some(struct link *link, uint8_t *data, size_t size) {
#ifdef WITH_TLS
    if (link->tls) {
        int got = SSL_read(link->tls, data, (int)size);
        return got > 0 ? got : tls_result(link->tls, got);
    }
#endif
    return recv(link->fd, data, size, 0);
}

static ssize_t write_some(struct link *link, const uint8_t *data, size_t size) {
#ifdef WITH_TLS
    if (link->tls) {
        int sent = SSL_write(link->tls, data, (int)size);
        return sent > 0 ? sent : tls_result(link->tls, sent);
    }
#endif
    return send(link->fd, data, size, MSG_NOSIGNAL);
}

void link_close(struct link *link) {
#ifdef WITH_TLS
    if (link->tls) SSL_free(link->tls);
#endif
    close(link->fd);
    free(link);
}

/* Takes the socket over; NULL (and the socket closed) if TLS fails. */
struct link *link_open(int fd, int is_tls) {
    struct link *link = calloc(1, sizeof *link);
    link->fd = fd;
#ifdef WITH_TLS
    if (is_tls && !(link->tls = tls_client(fd))) {
        link_close(link);
        return NULL;
    }
#else
    (void)is_tls;
#endif
    return link;
}

int link_send(struct link *link, const uint8_t *data, size_t size) {
    while (size) {
        ssize_t sent = write_some(link, data, size);
        if (sent <= 0) return -1;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

ssize_t link_receive(struct link *link, uint8_t *data, size_t size) {
    return read_some(link, data, size);
}

/* Setting up */

struct load *load_new(uint32_t payload, uint32_t rooms, uint32_t members,
                      uint32_t writers, uint32_t echoes, uint32_t ordered) {
    struct load *load = calloc(1, sizeof *load);
    load->payload = payload;
    load->echoes = echoes;
    load->ordered = ordered;
    load->room_count = rooms;
    load->rooms = calloc(rooms, sizeof *load->rooms);
    load->members = calloc(members, sizeof *load->members);
    load->writers = calloc(writers, sizeof *load->writers);
    load->dirty = calloc(members, sizeof *load->dirty);
    for (load->ring = 1024; load->ring * 2 * writers <= MESSAGES;) load->ring *= 2;
    load->buffer = malloc(TAIL + CHUNK);
    load->pool = malloc(POOL_SIZE + payload);
    load->chance = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < POOL_SIZE + payload; i++)
        load->pool[i] = (uint8_t)('a' + next_random(load) % 26);
    load->epoll = epoll_create1(0);
    prctl(PR_SET_TIMERSLACK, 1000);
    return load;
}

/* Members of a room come one after the other, those who write among them. */
uint32_t load_add_member(struct load *load, struct link *link, uint32_t room) {
    struct member *member = &load->members[load->member_count];
    member->link = link;
    member->room = room;
    member->tail = malloc(TAIL);
    load->rooms[room].members++;
    return load->member_count++;
}

uint32_t load_add_writer(struct load *load, uint32_t member, const uint8_t *frame,
                         uint32_t size, uint32_t payload_at) {
    struct writer *writer = &load->writers[load->writer_count];
    struct room *room = &load->rooms[load->members[member].room];
    if (!room->writers++) room->first_writer = load->writer_count;
    writer->member = &load->members[member];
    writer->member->writer = writer;
    writer->room = writer->member->room;
    writer->frame = malloc(size);
    memcpy(writer->frame, frame, size);
    writer->size = size;
    writer->payload_at = payload_at;
    writer->messages = calloc(load->ring, sizeof *writer->messages);
    return load->writer_count++;
}

/* A number of a frame that differs each time: 1, 2, ..., most significant byte first. */
void load_add_number(struct load *load, uint32_t writer, uint32_t at, uint32_t width) {
    struct writer *one = &load->writers[writer];
    one->numbers[one->count++] = (struct number){at, width};
}

/* What a member answers to a delivery: bytes, and the `take` ones before the payload. */
void load_answer(struct load *load, const uint8_t *data, uint32_t size, uint32_t take) {
    memcpy(load->answer, data, size);
    load->answer_size = size;
    load->answer_take = take;
}

/* What everybody says now and then, so as not to be thought gone. */
void load_keep_alive(struct load *load, const uint8_t *data, uint32_t size) {
    memcpy(load->alive, data, size);
    load->alive_size = size;
}

/* Keep what one member reads, until the capacity is reached. */
void load_capture(struct load *load, uint32_t member, size_t capacity) {
    load->captured = &load->members[member];
    load->capture = malloc(capacity);
    load->capture_capacity = capacity;
}

const uint8_t *load_captured(struct load *load) { return load->capture; }
size_t load_captured_size(struct load *load) { return load->capture_size; }

/* Writing */

static uint8_t *put_nibbles(uint8_t *at, uint64_t value, int count) {
    for (int i = count - 1; i >= 0; i--, value >>= 4) at[i] = 'a' + (value & 15);
    return at + count;
}

static uint64_t get_nibbles(const uint8_t *at, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value = value << 4 | ((at[i] - 'a') & 15);
    return value;
}

static const uint8_t *filler_of(struct load *load, uint32_t writer, uint32_t number) {
    return load->pool + (writer * 7919 + number * 131) % POOL_SIZE;
}

static uint8_t *reserve(struct load *load, struct member *member, size_t size) {
    if (member->out_size + size > member->out_capacity) {
        member->out_capacity = 2 * (member->out_size + size);
        member->out = realloc(member->out, member->out_capacity);
    }
    if (!member->is_dirty) {
        member->is_dirty = true;
        load->dirty[load->dirty_count++] = member;
    }
    uint8_t *at = member->out + member->out_size;
    member->out_size += size;
    return at;
}

static void put_number(uint8_t *frame, const struct number *number, uint32_t value) {
    uint64_t rest = number->width < 4 ? value % ((1u << 8 * number->width) - 1) : value;
    rest += 1;
    for (uint32_t i = number->width; i-- > 0; rest >>= 8)
        frame[number->at + i] = (uint8_t)rest;
}

static void post(struct load *load, uint32_t index, int64_t due) {
    struct writer *writer = &load->writers[index];
    if (writer->sent - writer->done >= load->ring) {
        load->outcome->overrun++;
        load->is_writing = false;
        return;
    }
    uint32_t number = writer->sent++;
    writer->messages[number % load->ring] = (struct message){due, 0};
    uint8_t *frame = reserve(load, writer->member, writer->size);
    memcpy(frame, writer->frame, writer->size);
    for (uint32_t i = 0; i < writer->count; i++)
        put_number(frame, &writer->numbers[i], number);
    uint8_t *at = frame + writer->payload_at;
    memcpy(at, MARKER, MARKER_SIZE);
    at = put_nibbles(at + MARKER_SIZE, index, 4);
    at = put_nibbles(at, number, 8);
    at = put_nibbles(at, (uint64_t)due, 16);
    memcpy(at, filler_of(load, index, number), load->payload - HEADER_SIZE);
    load->outcome->messages++;
    load->outcome->lateness[bucket_of(load->now - due)]++;
    load->under_way++;
}

static void post_what_is_due(struct load *load) {
    load->now = clock_now();
    while (load->is_writing && load->next_due <= load->now) {
        if (load->next_due >= load->end) {
            load->is_writing = false;
            return;
        }
        post(load, (uint32_t)(next_random(load) % load->writer_count), load->next_due);
        double chance = (double)(next_random(load) >> 11) / 9007199254740992.0;
        load->next_due += (int64_t)(-log1p(-chance) / load->plan->rate * 1e9);
    }
}

static void watch(struct load *load, struct member *member, int operation) {
    struct epoll_event event = {
        .events = EPOLLIN | (member->is_blocked ? EPOLLOUT : 0),
        .data.ptr = member,
    };
    epoll_ctl(load->epoll, operation, member->link->fd, &event);
}

static void hang_up(struct load *load, struct member *member) {
    if (member->is_closed) return;
    member->is_closed = true;
    load->outcome->hung_up++;
    epoll_ctl(load->epoll, EPOLL_CTL_DEL, member->link->fd, NULL);
}

static void flush(struct load *load, struct member *member) {
    bool was_blocked = member->is_blocked;
    member->is_blocked = false;
    while (member->out_begun < member->out_size && !member->is_closed) {
        ssize_t sent = write_some(member->link, member->out + member->out_begun,
                                  member->out_size - member->out_begun);
        if (sent > 0) {
            member->out_begun += (size_t)sent;
        } else if (errno == EAGAIN) {
            member->is_blocked = true;
            break;
        } else {
            hang_up(load, member);
        }
    }
    if (!member->is_blocked) member->out_begun = member->out_size = 0;
    if (member->is_blocked != was_blocked && !member->is_closed)
        watch(load, member, EPOLL_CTL_MOD);
}

static void flush_all(struct load *load) {
    for (uint32_t i = 0; i < load->dirty_count; i++) {
        load->dirty[i]->is_dirty = false;
        if (!load->dirty[i]->is_blocked) flush(load, load->dirty[i]);
    }
    load->dirty_count = 0;
}

/* Reading */

static void count(struct load *load, struct writer *writer, uint32_t number) {
    struct message *message = &writer->messages[number % load->ring];
    struct room *room = &load->rooms[writer->room];
    load->outcome->deliveries++;
    load->outcome->latency[bucket_of(load->now - message->due)]++;
    load->progress = load->now;
    if (++message->receipts != room->members - !load->echoes) return;
    writer->done++;
    load->under_way--;
    if (load->plan->rate == 0 && load->is_writing)
        post(load, (uint32_t)(writer - load->writers), load->now);
}

/* All members of a room must see the same; the first to see an entry says what. Who is
 * not sent its own messages sees fewer. */
static void compare_order(struct load *load, struct member *member, uint64_t entry) {
    struct room *room = &load->rooms[member->room];
    if (!load->ordered || (member->writer && !load->echoes)) return;
    if (member->place == room->entries)
        room->order[room->entries++ % MESSAGES] = entry;
    else if (room->order[member->place % MESSAGES] != entry)
        load->outcome->disagreed++;
    member->place++;
}

static void check(struct load *load, struct member *member, const uint8_t *payload) {
    struct room *room = &load->rooms[member->room];
    const uint8_t *at = payload + MARKER_SIZE;
    uint32_t index = (uint32_t)get_nibbles(at, 4);
    uint32_t number = (uint32_t)get_nibbles(at + 4, 8);
    if (index - room->first_writer >= room->writers) {
        load->outcome->unknown++;
        return;
    }
    struct writer *writer = &load->writers[index];
    uint32_t *expected = &member->expected[index - room->first_writer];
    if (number >= writer->sent || writer->sent - number > load->ring) {
        load->outcome->unknown++;
        return;
    }
    if (number != *expected) load->outcome->reordered++;
    *expected = number + 1;
    int64_t due = writer->messages[number % load->ring].due;
    if ((int64_t)get_nibbles(at + 12, 16) != due ||
        memcmp(at + 28, filler_of(load, index, number), load->payload - HEADER_SIZE))
        load->outcome->altered++;
    compare_order(load, member, (uint64_t)index << 32 | number);
    member->received++;
    count(load, writer, number);
}

static void answer(struct load *load, struct member *member, const uint8_t *payload) {
    if (!load->answer_size) return;
    uint8_t *out = reserve(load, member, load->answer_size + load->answer_take);
    memcpy(out, load->answer, load->answer_size);
    memcpy(out + load->answer_size, payload - load->answer_take, load->answer_take);
}

/* The next marker: most often as far behind the last payload as the one before. */
static uint8_t *find_marker(struct member *member, uint8_t *from, uint8_t *end) {
    uint8_t *guess = from + member->gap;
    if (guess + MARKER_SIZE <= end && !memcmp(guess, MARKER, MARKER_SIZE)) return guess;
    return memmem(from, (size_t)(end - from), MARKER, MARKER_SIZE);
}

static void scan(struct load *load, struct member *member, uint8_t *data, size_t size) {
    uint8_t *at = data, *end = data + size, *found;
    while ((found = find_marker(member, at, end)) && found + load->payload <= end) {
        if (at != data) member->gap = (size_t)(found - at);
        answer(load, member, found);
        check(load, member, found);
        at = found + load->payload;
    }
    size_t kept = found ? (size_t)(end - found) : MARKER_SIZE - 1;
    kept += load->answer_take;
    member->tail_size = kept < (size_t)(end - at) ? kept : (size_t)(end - at);
    memcpy(member->tail, end - member->tail_size, member->tail_size);
}

static void capture(struct load *load, const uint8_t *data, size_t size) {
    size_t room = load->capture_capacity - load->capture_size;
    if (size > room) size = room;
    memcpy(load->capture + load->capture_size, data, size);
    load->capture_size += size;
}

static void receive(struct load *load, struct member *member) {
    ssize_t got;
    do {
        uint8_t *fresh = load->buffer + member->tail_size;
        got = read_some(member->link, fresh, CHUNK);
        if (got == 0 || (got < 0 && errno != EAGAIN)) hang_up(load, member);
        if (got <= 0) return;
        memcpy(load->buffer, member->tail, member->tail_size);
        load->now = clock_now();
        load->outcome->bytes += (uint64_t)got;
        if (member == load->captured) capture(load, fresh, (size_t)got);
        scan(load, member, load->buffer, member->tail_size + (size_t)got);
    } while (member->link->tls); /* OpenSSL may hold what epoll does not see */
}

/* A run */

static void keep_alive(struct load *load) {
    for (uint32_t i = 0; load->alive_size && i < load->member_count; i++) {
        uint8_t *at = reserve(load, &load->members[i], load->alive_size);
        memcpy(at, load->alive, load->alive_size);
    }
}

static void wait_and_receive(struct load *load) {
    struct epoll_event events[EVENTS];
    int64_t wait = 50000000;
    if (load->is_writing && load->plan->rate > 0 && load->next_due - load->now < wait)
        wait = load->next_due > load->now ? load->next_due - load->now : 0;
    struct timespec time = {0, wait};
    int ready = epoll_pwait2(load->epoll, events, EVENTS, &time, NULL);
    load->now = clock_now();
    for (int i = 0; i < ready; i++) {
        struct member *member = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) flush(load, member);
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(load, member);
        if (load->plan->rate > 0) post_what_is_due(load);
        if (load->plan->rate > 0) flush_all(load);
    }
}

static void start_writing(struct load *load) {
    load->is_writing = true;
    for (uint32_t i = 0; load->plan->rate == 0 && i < load->plan->window; i++)
        for (uint32_t writer = 0; writer < load->writer_count; writer++)
            post(load, writer, load->now);
}

static uint64_t missing(struct load *load) {
    uint64_t missing = 0;
    for (uint32_t i = 0; i < load->member_count; i++) {
        struct member *member = &load->members[i];
        struct room *room = &load->rooms[member->room];
        uint64_t due = 0;
        for (uint32_t w = 0; w < room->writers; w++) {
            struct writer *writer = &load->writers[room->first_writer + w];
            if (load->echoes || writer->member != member) due += writer->sent;
        }
        if (due > member->received) missing += due - member->received;
    }
    return missing;
}

/* Once all members and writers are there, and before the first run. */
void load_ready(struct load *load) {
    for (uint32_t i = 0; i < load->room_count; i++)
        load->rooms[i].order = load->ordered ? malloc(MESSAGES * sizeof(uint64_t)) : NULL;
    for (uint32_t i = 0; i < load->member_count; i++) {
        struct member *member = &load->members[i];
        member->expected = calloc(load->rooms[member->room].writers, sizeof(uint32_t));
        fcntl(member->link->fd, F_SETFL, O_NONBLOCK);
        watch(load, member, EPOLL_CTL_ADD);
    }
}

void load_run(struct load *load, const struct plan *plan, struct outcome *outcome) {
    memset(outcome, 0, sizeof *outcome);
    double cpu = cpu_now();
    int64_t start = load->now = load->progress = clock_now(), alive = start;
    load->plan = plan;
    load->outcome = outcome;
    load->chance ^= plan->seed * 0x9e3779b97f4a7c15;
    load->is_writing = false;
    load->under_way = 0;
    load->end = start + (int64_t)(plan->seconds * 1e9);
    load->next_due = start;
    for (uint32_t i = 0; i < load->member_count; i++) receive(load, &load->members[i]);
    start_writing(load);
    while (load->is_writing || load->under_way) {
        if (plan->rate > 0) post_what_is_due(load);
        else if (load->now >= load->end) load->is_writing = false;
        if (load->now >= alive) {
            keep_alive(load);
            alive = load->now + KEEP_ALIVE;
        }
        flush_all(load);
        wait_and_receive(load);
        if (load->under_way && load->now - load->progress > plan->patience * 1e9) break;
        if (!load->under_way) load->progress = load->now;
    }
    flush_all(load); /* the last answers */
    outcome->seconds = (double)(load->progress - start) / 1e9;
    outcome->cpu = cpu_now() - cpu;
    outcome->missing = missing(load);
}

void load_free(struct load *load) {
    for (uint32_t i = 0; i < load->member_count; i++) {
        free(load->members[i].tail);
        free(load->members[i].out);
        free(load->members[i].expected);
    }
    for (uint32_t i = 0; i < load->writer_count; i++) {
        free(load->writers[i].frame);
        free(load->writers[i].messages);
    }
    for (uint32_t i = 0; i < load->room_count; i++) free(load->rooms[i].order);
    close(load->epoll);
    free(load->rooms);
    free(load->members);
    free(load->writers);
    free(load->dirty);
    free(load->pool);
    free(load->buffer);
    free(load->capture);
    free(load);
}
