/* Sockets with abstract names. */
#include "lib/abstract_socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Tests run at the same time, in one namespace. */
static const char *name_new(char name[ABSTRACT_NAME_SIZE])
{
	snprintf(name, ABSTRACT_NAME_SIZE, "mvapply-test-%d", (int)getpid());
	return name;
}

static void an_address_has_no_terminator(void **state)
{
	(void)state;
	struct sockaddr_un address;
	assert_int_equal(abstract_address("mvapply", &address),
			 offsetof(struct sockaddr_un, sun_path) + 1 + strlen("mvapply"));
	assert_int_equal(address.sun_family, AF_UNIX);
	assert_memory_equal(address.sun_path, "\0mvapply", sizeof("mvapply"));
}

static void a_name_is_bound_once(void **state)
{
	(void)state;
	char name[ABSTRACT_NAME_SIZE];
	assert_int_equal(abstract_connect(name_new(name), SOCK_SEQPACKET, 100), -ECONNREFUSED);
	const int listener = abstract_listen(name, SOCK_SEQPACKET);
	assert_true(listener >= 0);
	assert_int_equal(abstract_listen(name, SOCK_SEQPACKET), -EADDRINUSE);
	close(listener);
}

static void a_message_is_received(void **state)
{
	(void)state;
	char name[ABSTRACT_NAME_SIZE], *text;
	const int listener = abstract_listen(name_new(name), SOCK_SEQPACKET);
	const int client = abstract_connect(name, SOCK_SEQPACKET, 100);
	const int server = accept(listener, NULL, NULL);
	assert_true(client >= 0 && server >= 0);
	assert_int_equal(send(server, "one", 3, 0), 3);
	assert_int_equal(send(server, "another", 7, 0), 7);
	assert_int_equal(abstract_receive(client, &text), 3);
	assert_string_equal(text, "one");
	free(text);
	assert_int_equal(abstract_receive(client, &text), 7);
	assert_string_equal(text, "another");
	free(text);
	assert_int_equal(abstract_receive(client, &text), 0);
	assert_null(text);
	close(server);
	assert_int_equal(abstract_receive(client, &text), 0);
	assert_null(text);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_no_terminator),
		cmocka_unit_test(a_name_is_bound_once),
		cmocka_unit_test(a_message_is_received),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
