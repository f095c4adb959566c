/* Descriptors in messages, of a sender who is not trusted. */
#include "lib/fd_message.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static size_t open_count(void)
{
	size_t count = 0;
	DIR *entries = opendir("/proc/self/fd");
	assert_non_null(entries);
	while (readdir(entries))
		count++;
	closedir(entries);
	return count;
}

/* What lies behind the room for descriptors. */
#define BEHIND (-77)

static void assert_received(int socket, const char *bytes, size_t sent, size_t room)
{
	int fds[FD_MESSAGE_MAX + 1];
	char text[16];
	const size_t length = strlen(bytes);
	fds[room] = BEHIND;
	assert_int_equal(fd_message_receive(socket, text, sizeof(text), fds, room), length);
	assert_memory_equal(text, bytes, length);
	assert_int_equal(fds[room], BEHIND);
	for (size_t i = 0; i < room; i++) {
		assert_true(i < sent ? fds[i] >= 0 : fds[i] == -1);
		if (fds[i] < 0)
			continue;
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		close(fds[i]);
	}
}

/* Sends that many descriptors with the bytes, and receives with room for `room`. */
static void assert_passed(size_t sent, size_t room, const char *bytes)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	const int passed[FD_MESSAGE_MAX] = {ends[0], ends[1]};
	const size_t before = open_count(), length = strlen(bytes);
	assert_int_equal(fd_message_send(ends[0], bytes, length, passed, sent, 0), length);
	assert_received(ends[1], bytes, sent, room);
	assert_int_equal(open_count(), before);
	close(ends[0]);
	close(ends[1]);
}

static void expected(void **state)
{
	(void)state;
	assert_passed(0, 1, "text");
	assert_passed(1, 1, "text");
	assert_passed(1, 2, "text");
	assert_passed(2, 2, "text");
}

static void too_many(void **state)
{
	(void)state;
	assert_passed(2, 1, "text");
}

static void with_an_empty_message(void **state)
{
	(void)state;
	assert_passed(1, 1, "");
	assert_passed(2, 1, "");
	assert_passed(2, 2, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expected),
		cmocka_unit_test(too_many),
		cmocka_unit_test(with_an_empty_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
