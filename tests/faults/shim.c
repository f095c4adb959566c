/* Preloaded into mvapply, lets the kernel's side of netlink go wrong where FAULTS says so:
 *
 *     refuse@N=ERRNO  the Nth request is not done, and answered with this errno
 *     refuse-type@TYPE=ERRNO  the same for each request of this type
 *     wait@N=FD       before the Nth request is sent, a byte is written to FD, and one read from it
 *     interrupt@N     the Nth dump says that it was interrupted
 *     lost@N          in place of the Nth answer comes ENOBUFS
 *     cut@N=BYTES     the Nth answer ends after that many bytes
 *     garble@N=SEED   some bytes of the Nth answer are others
 *     malform@N       the first attribute of each object in the Nth answer goes on beyond its end
 *     blank@N         the Nth answer, if it is an acknowledgement, says nothing
 *     silent@N        the Nth answer never comes
 *     broken@N=ERRNO  the Nth dump ends with this errno
 *     stale@N         before the Nth answer comes one that says EPERM to a request of long ago
 *     forged@N        before it comes one that another process says EPERM with
 *     forged-long@N   the same, and longer than there is room for
 *     send-eintr@N, receive-eintr@N  a signal comes amid the Nth call that sends or receives
 *     event-lost@N, event-cut@N=BYTES, event-garble@N=SEED  the same for the events
 *     diag@0=ERRNO    netlink sockets cannot be listed (NETLINK_SOCK_DIAG)
 *     random@PERMILLE=SEED  that many of a thousand are refused, interrupted or lost
 *
 * Several are parted by commas. Numbers count from 1, over all NETLINK_ROUTE sockets of the
 * process; 0 is each of them. FAULTS_LOG names a file that gets a line for each: "request N TYPE",
 * "dump N TYPE", "answer N BYTES" (a datagram of them), "event N BYTES". */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum fault {
	REFUSE,
	REFUSE_TYPE,
	WAIT,
	INTERRUPT,
	LOST,
	CUT,
	GARBLE,
	MALFORM,
	BLANK,
	SILENT,
	BROKEN,
	STALE,
	FORGED,
	FORGED_LONG,
	SEND_EINTR,
	RECEIVE_EINTR,
	EVENT_LOST,
	EVENT_CUT,
	EVENT_GARBLE,
	DIAG,
	RANDOM,
	N_FAULTS
};

static const char *const names[N_FAULTS] = {
	[REFUSE] = "refuse",
	[REFUSE_TYPE] = "refuse-type",
	[WAIT] = "wait",
	[INTERRUPT] = "interrupt",
	[LOST] = "lost",
	[CUT] = "cut",
	[GARBLE] = "garble",
	[MALFORM] = "malform",
	[BLANK] = "blank",
	[SILENT] = "silent",
	[BROKEN] = "broken",
	[STALE] = "stale",
	[FORGED] = "forged",
	[FORGED_LONG] = "forged-long",
	[SEND_EINTR] = "send-eintr",
	[RECEIVE_EINTR] = "receive-eintr",
	[EVENT_LOST] = "event-lost",
	[EVENT_CUT] = "event-cut",
	[EVENT_GARBLE] = "event-garble",
	[DIAG] = "diag",
	[RANDOM] = "random",
};

#define RULES_MAX  16
#define FAULTY_MAX 256

static struct rule {
	enum fault fault;
	unsigned long at, value;
} rules[RULES_MAX];
static size_t n_rules;

static unsigned long requests, dumps, answers, events, sends, receives;
static uint32_t last_seq;
static uint64_t random_state;
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Requests whose replies are changed; the oldest are dropped. */
static struct faulty {
	int fd;
	uint32_t seq;
	int errnum; /* errno at the end of the dump; 0: mark the dump as interrupted */
} faulty[FAULTY_MAX];
static size_t n_faulty;

static ssize_t (*real_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static ssize_t (*real_recvmsg)(int, struct msghdr *, int);

static void rule_add(const char *text)
{
	for (size_t i = 0; i < N_FAULTS && n_rules < RULES_MAX; i++) {
		size_t length = strlen(names[i]);
		char *end;
		if (strncmp(text, names[i], length) != 0 || text[length] != '@')
			continue;
		struct rule *rule = &rules[n_rules++];
		rule->fault = (enum fault)i;
		rule->at = strtoul(text + length + 1, &end, 10);
		rule->value = *end == '=' ? strtoul(end + 1, NULL, 10) : 0;
		if (rule->fault == RANDOM)
			random_state = rule->value + 1;
		return;
	}
	fprintf(stderr, "faults: no such rule: %s\n", text);
	abort();
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("FAULTS"), *path = getenv("FAULTS_LOG");
	*(void **)&real_sendto = dlsym(RTLD_NEXT, "sendto");
	*(void **)&real_recvmsg = dlsym(RTLD_NEXT, "recvmsg");
	for (; text && *text; text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL)
		rule_add(text);
	if (path)
		log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(const char *what, unsigned long number, size_t detail)
{
	char line[64];
	int size = snprintf(line, sizeof(line), "%s %lu %zu\n", what, number, detail);
	if (log_fd >= 0)
		(void)!write(log_fd, line, (size_t)size);
}

/* Knuth's MMIX generator. */
static unsigned below(unsigned limit)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random_state >> 33) % limit;
}

/* Errors that a kernel with little memory can return at any time. */
static const bool by_chance[N_FAULTS] = {
	[REFUSE] = true, [INTERRUPT] = true, [LOST] = true, [EVENT_LOST] = true};

/* The matching rule, or NULL. A random rule has no type of fault. */
static const struct rule *strikes(enum fault fault, unsigned long number)
{
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *rule = &rules[i];
		if (rule->fault == RANDOM && by_chance[fault] && below(1000) < rule->at)
			return rule;
		if (rule->fault == fault && (rule->at == number || !rule->at))
			return rule;
	}
	return NULL;
}

static void fault_mark(int fd, uint32_t seq, int errnum)
{
	faulty[n_faulty++ % FAULTY_MAX] = (struct faulty){fd, seq, errnum};
}

static const struct faulty *owner_tag_find(int fd, uint32_t seq)
{
	for (size_t i = 0; i < FAULTY_MAX && i < n_faulty; i++)
		if (faulty[i].fd == fd && faulty[i].seq == seq)
			return &faulty[i];
	return NULL;
}

/* Another socket may have the descriptor's number now, and count from the beginning. */
static void fault_mark_clear(int fd, uint32_t seq)
{
	for (size_t i = 0; i < FAULTY_MAX; i++)
		if (faulty[i].fd == fd && faulty[i].seq == seq)
			faulty[i] = (struct faulty){.fd = -1};
}

static bool is_dump(const struct nlmsghdr *message)
{
	return (message->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP && message->nlmsg_type % 4 == 2;
}

/* The kernel acknowledges NLMSG_NOOP without any effect. */
static void request_refuse(int fd, struct nlmsghdr *message, int errnum)
{
	message->nlmsg_type = NLMSG_NOOP;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	fault_mark(fd, message->nlmsg_seq, errnum);
}

static int chance_errnum(const struct rule *rule)
{
	static const int some[] = {EPERM, EBUSY, ENOMEM, EEXIST, ENODEV, EINTR, ENOBUFS, EAGAIN};
	return rule->fault == RANDOM ? some[below(sizeof(some) / sizeof(some[0]))]
				     : (int)rule->value;
}

static void request_take(int fd, struct nlmsghdr *message)
{
	const struct rule *rule;
	fault_mark_clear(fd, message->nlmsg_seq);
	last_seq = message->nlmsg_seq;
	note("request", ++requests, message->nlmsg_type);
	if (is_dump(message)) {
		note("dump", ++dumps, message->nlmsg_type);
		if (strikes(INTERRUPT, dumps))
			fault_mark(fd, message->nlmsg_seq, 0);
		if ((rule = strikes(BROKEN, dumps)))
			fault_mark(fd, message->nlmsg_seq, (int)rule->value);
	}
	if ((rule = strikes(WAIT, requests))) {
		char byte = 'x';
		(void)!write((int)rule->value, &byte, 1);
		(void)!read((int)rule->value, &byte, 1);
	}
	if ((rule = strikes(REFUSE, requests)) ||
	    (rule = strikes(REFUSE_TYPE, message->nlmsg_type)))
		request_refuse(fd, message, chance_errnum(rule));
}

/* Walks the whole messages of a datagram. */
#define EACH_MESSAGE(message, left)                                                                \
	for (; (left) >= sizeof(*(message)) && (message)->nlmsg_len >= sizeof(*(message)) &&       \
	       (message)->nlmsg_len <= (left);                                                     \
	     (left) -= NLMSG_ALIGN((message)->nlmsg_len) < (left)                                  \
			       ? NLMSG_ALIGN((message)->nlmsg_len)                                 \
			       : (left),                                                           \
	     (message) = (void *)((char *)(message) + NLMSG_ALIGN((message)->nlmsg_len)))

static bool to_the_kernel(const struct sockaddr *address)
{
	return address && address->sa_family == AF_NETLINK;
}

static bool is_diag(int fd)
{
	int protocol = -1;
	socklen_t size = sizeof(protocol);
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
	       protocol == NETLINK_SOCK_DIAG;
}

static ssize_t diag_sendto(int fd, const void *bytes, size_t size, int flags,
			   const struct sockaddr *address, socklen_t address_size)
{
	const struct rule *rule = strikes(DIAG, 0);
	if (!rule)
		return real_sendto(fd, bytes, size, flags, address, address_size);
	errno = (int)rule->value;
	return -1;
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
	       socklen_t address_size)
{
	if (to_the_kernel(address) && is_diag(fd))
		return diag_sendto(fd, bytes, size, flags, address, address_size);
	char *copy = to_the_kernel(address) ? malloc(size + 1) : NULL;
	if (!copy)
		return real_sendto(fd, bytes, size, flags, address, address_size);
	memcpy(copy, bytes, size);
	pthread_mutex_lock(&lock);
	if (strikes(SEND_EINTR, ++sends)) {
		pthread_mutex_unlock(&lock);
		free(copy);
		errno = EINTR;
		return -1;
	}
	struct nlmsghdr *message = (void *)copy;
	size_t left = size;
	EACH_MESSAGE(message, left)
	request_take(fd, message);
	pthread_mutex_unlock(&lock);
	ssize_t sent = real_sendto(fd, copy, size, flags, address, address_size);
	int errnum = errno;
	free(copy);
	errno = errnum;
	return sent;
}

static void answers_change(int fd, char *bytes, size_t size)
{
	struct nlmsghdr *message = (void *)bytes;
	size_t left = size;
	EACH_MESSAGE(message, left)
	{
		const struct faulty *found = owner_tag_find(fd, message->nlmsg_seq);
		if (found && !found->errnum)
			message->nlmsg_flags |= NLM_F_DUMP_INTR;
		if (!found || !found->errnum ||
		    (message->nlmsg_type != NLMSG_ERROR && message->nlmsg_type != NLMSG_DONE))
			continue;
		/* Both structs begin with it. */
		int *listed = NLMSG_DATA(message);
		*listed = -found->errnum;
	}
}

static void bytes_garble(char *bytes, size_t size, unsigned long seed)
{
	random_state = seed;
	for (unsigned i = 0; size && i < 1 + size / 64; i++)
		bytes[below((unsigned)size)] = (char)below(256);
}

static void message_malform(struct nlmsghdr *message)
{
	static const struct {
		uint16_t type;
		size_t header;
	} kinds[] = {{RTM_NEWLINK, sizeof(struct ifinfomsg)},
		     {RTM_NEWADDR, sizeof(struct ifaddrmsg)},
		     {RTM_NEWROUTE, sizeof(struct rtmsg)},
		     {RTM_NEWNSID, sizeof(struct rtgenmsg)}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const size_t offset = NLMSG_SPACE(kinds[i].header);
		struct nlattr *first = (void *)((char *)message + offset);
		if (message->nlmsg_type == kinds[i].type &&
		    message->nlmsg_len > offset + sizeof(*first))
			first->nla_len = UINT16_MAX;
	}
}

static void answer_malform(char *bytes, size_t size)
{
	struct nlmsghdr *message = (void *)bytes;
	size_t left = size;
	EACH_MESSAGE(message, left)
	message_malform(message);
}

static ssize_t bytes_lose(void)
{
	errno = ENOBUFS;
	return -1;
}

/* A received reply: the number of visible bytes; negative: none, but errno. */
static ssize_t answer_take(int fd, char *bytes, size_t size)
{
	const struct rule *rule;
	note("answer", ++answers, size);
	answers_change(fd, bytes, size);
	if (strikes(LOST, answers))
		return bytes_lose();
	if (strikes(SILENT, answers))
		return 0;
	struct nlmsghdr *message = (void *)bytes;
	if (strikes(BLANK, answers) && message->nlmsg_type == NLMSG_ERROR)
		message->nlmsg_type = NLMSG_NOOP;
	if (strikes(MALFORM, answers))
		answer_malform(bytes, size);
	if ((rule = strikes(GARBLE, answers)))
		bytes_garble(bytes, size, rule->value);
	rule = strikes(CUT, answers);
	return (ssize_t)(rule && rule->value < size ? rule->value : size);
}

static ssize_t event_take(char *bytes, size_t size)
{
	const struct rule *rule;
	note("event", ++events, size);
	if (strikes(EVENT_LOST, events))
		return bytes_lose();
	if ((rule = strikes(EVENT_GARBLE, events)))
		bytes_garble(bytes, size, rule->value);
	rule = strikes(EVENT_CUT, events);
	return (ssize_t)(rule && rule->value < size ? rule->value : size);
}

/* A socket that listens to events requests the control messages with their namespace. */
static ssize_t datagram_take(int fd, const struct msghdr *header, size_t size)
{
	char *bytes = header->msg_iov[0].iov_base;
	return header->msg_control ? event_take(bytes, size) : answer_take(fd, bytes, size);
}

/* Datagrams that the kernel did not send, or not for the current request. */
static ssize_t answer_make(struct msghdr *header, uint32_t seq, uint32_t sender)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} refusal = {.header = {.nlmsg_len = sizeof(refusal),
				.nlmsg_type = NLMSG_ERROR,
				.nlmsg_seq = seq},
		     .error = {.error = -EPERM}};
	*(struct sockaddr_nl *)header->msg_name =
		(struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = sender};
	memcpy(header->msg_iov[0].iov_base, &refusal, sizeof(refusal));
	header->msg_flags = 0;
	return sizeof(refusal);
}

/* The datagram before the next reply, which is still pending; 0: none. */
static ssize_t answer_precede(int fd, struct msghdr *header)
{
	static unsigned long preceded;
	char byte;
	if (!header->msg_name || header->msg_namelen < sizeof(struct sockaddr_nl) ||
	    header->msg_control || preceded == answers + 1 ||
	    recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) < 0)
		return 0;
	if (strikes(RECEIVE_EINTR, ++receives)) {
		errno = EINTR;
		return -1;
	}
	preceded = answers + 1;
	if (strikes(STALE, preceded))
		return answer_make(header, 0, 0);
	const bool too_long = strikes(FORGED_LONG, preceded);
	if (!too_long && !strikes(FORGED, preceded))
		return 0;
	ssize_t size = answer_make(header, last_seq, (uint32_t)getpid());
	header->msg_flags = too_long ? MSG_TRUNC : 0;
	return size;
}

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
	if (header->msg_namelen >= sizeof(struct sockaddr_nl) && is_diag(fd))
		return real_recvmsg(fd, header, flags);
	pthread_mutex_lock(&lock);
	ssize_t before = answer_precede(fd, header);
	pthread_mutex_unlock(&lock);
	if (before)
		return before;
	for (;;) {
		ssize_t size = real_recvmsg(fd, header, flags);
		const struct sockaddr_nl *from = header->msg_name;
		if (size <= 0 || !from || header->msg_namelen < sizeof(*from) ||
		    from->nl_family != AF_NETLINK)
			return size;
		pthread_mutex_lock(&lock);
		size = datagram_take(fd, header, (size_t)size);
		pthread_mutex_unlock(&lock);
		if (size)
			return size;
	}
}

/* As in the kernel, an error after the first datagram is returned by the next call. */
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	static _Thread_local int owed;
	unsigned in_use = 0;
	(void)timeout;
	errno = owed;
	owed = 0;
	if (errno)
		return -1;
	for (ssize_t size; in_use < count; messages[in_use++].msg_len = (unsigned)size)
		if ((size = recvmsg(fd, &messages[in_use].msg_hdr, flags)) < 0)
			break;
	if (in_use == count)
		return (int)in_use;
	if (in_use && errno != EAGAIN)
		owed = errno;
	return in_use ? (int)in_use : -1;
}
