#include "reconcile/traffic/traffic.h"

#include "kernel/netns.h"
#include "kernel/packet_socket.h"
#include "kernel/probe_packet.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/thread_pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Milliseconds. All is over by FOLLOW + (TRIES + 1) * INTERVAL; an answered question listens on for
 * others that answer it. */
#define INTERVAL 350
#define TRIES    3
#define FOLLOW   200
#define UNTAGGED 600
#define LISTEN   200

/* A broadcast of a link is copied to every other link of its parent (macvlan_broadcast), so that n
 * of them cost n squared. In each segment, this number of attachments broadcast, which finds the
 * gateway's MAC and all others that answer for it. The other attachments follow, and send to that
 * MAC alone. Without an answer so far, the parent sends their broadcasts for them: on the wire
 * that is the same. Such an answer only gives the gateway's MAC. */
#define SCOUTS 8

/* The limits of sockets that are open at once, and of frames that are read from one before the
 * next: a container can send any number. */
#define SOCKETS_MAX 4096
#define FRAMES_MAX  32

/* Closing a packet socket waits for a grace period of the kernel (packet_release), which threads
 * share. */
#define CLOSERS 128

/* A question while its answer is pending. */
struct query {
	struct traffic_question *question;
	struct traffic_segment *segment;
	int fd; /* negative: it is not sent */
	struct mac mac;
	bool follows, over;
	bool sent_itself; /* through its own link */
	unsigned tries, sent;
	int64_t next; /* when it is sent again, or listening ends */
};

struct exchange {
	struct traffic *traffic;
	struct query *queries;
	struct pollfd *polled;
	size_t count, capacity;
	struct mac *gateways; /* of each segment: the first MAC that answered */
	size_t *scouts;       /* of each segment: how many broadcast at once */
	int host_fd;
	int carrier; /* a packet socket of the host's namespace, for all parents; negative: none */
};

/* Replies alone, to this link and without a tag: a VLAN's frames pass its parent, too. What
 * answer_frame_decode rejects is left to it. */
static struct sock_filter filter_steps[] = {
	{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 12, PACKET_HOST},
	{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 10, 0},
	{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 2, ETH_P_ARP},
	{BPF_LD | BPF_H | BPF_ABS, 0, 0, 20},
	{BPF_JMP | BPF_JEQ | BPF_K, 5, 6, ARPOP_REPLY},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 5, ETH_P_IPV6},
	{BPF_LD | BPF_B | BPF_ABS, 0, 0, 14 + 6},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, IPPROTO_ICMPV6},
	{BPF_LD | BPF_B | BPF_ABS, 0, 0, 14 + 40},
	{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 136}, /* advertisement */
	{BPF_RET | BPF_K, 0, 0, UINT32_MAX},
	{BPF_RET | BPF_K, 0, 0, 0},
};
static const struct sock_fprog filter = {.len = sizeof(filter_steps) / sizeof(filter_steps[0]),
					 .filter = filter_steps};

static int query_open(struct exchange *exchange, struct query *query)
{
	const struct traffic_question *question = query->question;
	struct error error;
	if (!question->ns->handle)
		return -ENOENT;
	if (netns_enter(question->ns->handle->fd, &error) < 0)
		return -error.errnum;
	const int fd = packet_socket_open(
		question->link->ifindex,
		question->source.family == AF_INET ? ETH_P_ARP : ETH_P_IPV6, &filter, &query->mac);
	netns_return(exchange->host_fd);
	return fd;
}

/* Whether a question makes sense: without a carrier the kernel drops what is sent
 * without an error (noop_enqueue). */
static bool can_query(const struct traffic *traffic, const struct traffic_question *question)
{
	const struct live_link *parent = traffic->segments[question->segment].parent;
	return question->source.family && question->link->flags & IFF_UP &&
	       (!parent || parent->flags & IFF_LOWER_UP);
}

static void query_begin(struct exchange *exchange, struct query *query, int64_t now)
{
	const struct traffic_question *question = query->question;
	size_t *scouts = &exchange->scouts[question->segment];
	query->tries = TRIES;
	query->next = now;
	if (question->role == TRAFFIC_UNTAGGED) {
		query->next += UNTAGGED;
		query->tries = 2;
	} else if (question->role == TRAFFIC_ATTACHMENT && ++*scouts > SCOUTS) {
		query->next += FOLLOW;
		query->follows = true;
	}
}

/* Adds a question, if it can be sent. False: there is no descriptor for it now. */
static bool exchange_add(struct exchange *exchange, struct traffic_question *question)
{
	if (!can_query(exchange->traffic, question))
		return true;
	if (exchange->count == exchange->capacity)
		return false;
	struct query *query = &exchange->queries[exchange->count];
	*query = (struct query){.question = question,
				.segment = &exchange->traffic->segments[question->segment]};
	query->fd = query_open(exchange, query);
	if (query->fd == -EMFILE && exchange->count)
		return false;
	if (query->fd < 0)
		question->errnum = -query->fd;
	else
		exchange->count++;
	return true;
}

/* Whether the parent sends the question. A neighbour solicitation is copied to few links: it is a
 * multicast. */
static bool is_carried(const struct exchange *exchange, const struct query *query)
{
	return query->follows && query->segment->gateway.family == AF_INET &&
	       query->segment->parent && !exchange->gateways[query->question->segment].set;
}

static ssize_t frame_send(struct exchange *exchange, const struct query *query,
			  const uint8_t *frame, size_t size)
{
	if (!is_carried(exchange, query))
		return send(query->fd, frame, size, 0);
	const struct sockaddr_ll to = {.sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ARP),
				       .sll_ifindex = query->segment->parent->ifindex};
	if (exchange->carrier < 0)
		exchange->carrier = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (exchange->carrier < 0)
		return -1;
	return sendto(exchange->carrier, frame, size, 0, (const struct sockaddr *)&to, sizeof(to));
}

static void query_send(struct exchange *exchange, struct query *query, int64_t now)
{
	struct traffic_question *question = query->question;
	const struct mac to =
		query->follows ? exchange->gateways[question->segment] : (struct mac){.set = false};
	uint8_t frame[QUESTION_FRAME_MAX];
	const size_t size = question_frame(frame, &query->mac, &question->source,
					   &query->segment->gateway, &to);
	query->sent_itself |= !is_carried(exchange, query);
	if (frame_send(exchange, query, frame, size) >= 0)
		question->sent = true;
	else if (errno != ENOBUFS && errno != EAGAIN) {
		question->errnum = errno;
		query->over = true;
	}
	query->sent++;
	query->next = now + INTERVAL;
}

/* Whether the next try teaches nothing more. */
static bool query_done(const struct exchange *exchange, const struct query *query)
{
	return query->question->n_answers || query->sent == query->tries ||
	       (query->question->role == TRAFFIC_UNTAGGED &&
		exchange->gateways[query->question->segment].set);
}

/* Sends the questions that are due. Returns the time of the next one, or -1 if all are over. */
static int64_t exchange_go_on(struct exchange *exchange)
{
	int64_t next = -1;
	for (size_t i = 0; i < exchange->count; i++) {
		struct query *query = &exchange->queries[i];
		const int64_t now = clock_milliseconds();
		if (!query->over && query->next <= now && query_done(exchange, query))
			query->over = true;
		else if (!query->over && query->next <= now)
			query_send(exchange, query, now);
		if (!query->over && (next < 0 || query->next < next))
			next = query->next;
	}
	return next;
}

static bool answer_known(const struct traffic_question *question, const struct mac *mac)
{
	for (size_t i = 0; i < question->n_answers; i++)
		if (mac_equal(&question->answers[i], mac))
			return true;
	return false;
}

static void answer_note(struct exchange *exchange, struct query *query, const struct mac *mac)
{
	struct traffic_question *question = query->question;
	struct mac *gateway = &exchange->gateways[question->segment];
	if (question->role != TRAFFIC_UNTAGGED && !gateway->set)
		*gateway = *mac;
	if (!query->sent_itself) {
		query->next = 0; /* it is sent through its own link now */
		query->sent -= query->sent == query->tries;
		return;
	}
	if (question->n_answers == 0)
		query->next = clock_milliseconds() + LISTEN;
	if (question->n_answers < TRAFFIC_ANSWERS_MAX && !answer_known(question, mac))
		question->answers[question->n_answers++] = *mac;
}

/* An answer is for the source of this socket's question, and about the gateway. */
static void query_read(struct exchange *exchange, struct query *query)
{
	uint8_t frame[256];
	struct ip ip, source;
	struct mac mac;
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		ssize_t size = recv(query->fd, frame, sizeof(frame), 0);
		if (size < 0)
			return;
		if (query->sent && answer_frame_decode(frame, (size_t)size, &ip, &mac, &source) &&
		    ip_equal(&ip, &query->segment->gateway) &&
		    ip_equal(&source, &query->question->source))
			answer_note(exchange, query, &mac);
	}
}

static void exchange_wait(struct exchange *exchange, int64_t until)
{
	const int64_t left = until - clock_milliseconds();
	for (size_t i = 0; i < exchange->count; i++)
		exchange->polled[i] = (struct pollfd){
			.fd = exchange->queries[i].over ? -1 : exchange->queries[i].fd,
			.events = POLLIN};
	if (poll(exchange->polled, exchange->count, left < 0 ? 0 : (int)left) <= 0)
		return;
	for (size_t i = 0; i < exchange->count; i++)
		if (exchange->polled[i].revents)
			query_read(exchange, &exchange->queries[i]);
}

static void query_close(void *data, size_t number)
{
	const struct exchange *exchange = data;
	close(exchange->queries[number].fd);
}

/* Sends the added questions, reads their answers, and removes them. */
static void exchange_run(struct exchange *exchange)
{
	const int64_t begin = clock_milliseconds();
	for (size_t i = 0; i < exchange->count; i++)
		query_begin(exchange, &exchange->queries[i], begin);
	for (int64_t next; (next = exchange_go_on(exchange)) >= 0;)
		exchange_wait(exchange, next);
	pool_run(exchange->count, CLOSERS, query_close, exchange);
	exchange->count = 0;
}

static void exchange_add_role(struct exchange *exchange, enum traffic_role role)
{
	for (size_t i = 0; i < exchange->traffic->n_questions; i++) {
		struct traffic_question *question = &exchange->traffic->questions[i];
		if (question->role != role)
			continue;
		if (exchange_add(exchange, question))
			continue;
		exchange_run(exchange);
		(void)exchange_add(exchange, question);
	}
}

void traffic_query(struct traffic *traffic, const struct live *live)
{
	struct arena *arena = traffic->arena;
	struct exchange exchange = {
		.traffic = traffic, .host_fd = live->namespaces[0]->handle->fd, .carrier = -1};
	exchange.capacity = traffic->n_questions < SOCKETS_MAX ? traffic->n_questions : SOCKETS_MAX;
	exchange.queries = arena_alloc(arena, (exchange.capacity + 1) * sizeof(struct query));
	exchange.polled = arena_alloc(arena, (exchange.capacity + 1) * sizeof(struct pollfd));
	exchange.gateways = arena_alloc(arena, (traffic->n_segments + 1) * sizeof(struct mac));
	exchange.scouts = arena_alloc(arena, (traffic->n_segments + 1) * sizeof(size_t));
	/* Those for comparison come first: they are few, and their answers help the others. */
	exchange_add_role(&exchange, TRAFFIC_PARENT);
	exchange_add_role(&exchange, TRAFFIC_UNTAGGED);
	exchange_add_role(&exchange, TRAFFIC_ATTACHMENT);
	exchange_run(&exchange);
	if (exchange.carrier >= 0)
		close(exchange.carrier);
}
