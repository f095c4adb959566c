/* Calls of Docker's network and IPAM drivers: the HTTP request, and its JSON. The bodies are those
 * of dockerd 20.10. */
#include "container_engine/docker_call.h"
#include "container_engine/http_request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "4f3b1c"

static int request(const char *text, struct http_request *ret)
{
	return http_request_parse(text, strlen(text), ret);
}

static void test_request(void **state)
{
	static const char text[] =
		"POST /NetworkDriver.Join HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\n\r\n{}\r\nPOST";
	struct http_request found;
	(void)state;
	assert_int_equal(request(text, &found), 1);
	assert_string_equal(found.path, "/NetworkDriver.Join");
	assert_int_equal(found.body_size, 4);
	assert_memory_equal(found.body, "{}\r\n", 4);
	assert_string_equal(text + found.size, "POST");
	assert_false(found.closes);
	assert_int_equal(request("POST / HTTP/1.1\r\nConnection: close\r\n\r\n", &found), 1);
	assert_true(found.closes);
}

static void test_incomplete(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n1234";
	struct http_request found;
	(void)state;
	for (size_t size = 0; size < strlen(text); size++)
		assert_int_equal(http_request_parse(text, size, &found), 0);
	assert_int_equal(request(text, &found), 1);
}

static void test_bad_requests(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{"\r\n\r\n", -400},
		{"POST / HTTP/1.0\r\n\r\n", -400},
		{"POST x HTTP/1.1\r\n\r\n", -400},
		{"GET / HTTP/1.1\r\n\r\n", -405},
		{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", -400},
		{"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", -400},
		{"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", -413},
		{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -411},
	};
	struct http_request found;
	char *large = malloc(HTTP_HEAD_MAX + 1);
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(request(rows[i].text, &found), rows[i].status);
	memset(large, 'a', HTTP_HEAD_MAX);
	large[HTTP_HEAD_MAX] = '\0';
	assert_int_equal(request(large, &found), -431);
	free(large);
}

static int parse(const char *path, const char *text, struct arena *arena, struct docker_call *ret,
		 struct error *error)
{
	*error = (struct error){0};
	return docker_call_parse(path, text, strlen(text), arena, ret, error);
}

static void test_pool(void **state)
{
	struct arena *arena = arena_new();
	struct docker_call call;
	struct error error;
	char text[PREFIX_TEXT_SIZE];
	(void)state;
	assert_int_equal(
		parse("/IpamDriver.RequestPool",
		      "{\"AddressSpace\":\"mvapply\",\"Pool\":\"172.16.86.0/24\",\"SubPool\":"
		      "\"\",\"Options\":{\"network\":\"lan\"},\"V6\":false}",
		      arena, &call, &error),
		0);
	assert_int_equal(call.method, DOCKER_REQUEST_POOL);
	assert_string_equal(prefix_format(&call.subnet, text), "172.16.86.0/24");
	assert_string_equal(call.network, "lan");
	assert_int_equal(call.range.ip.family, 0);
	assert_false(call.ipv6);
	assert_int_equal(
		parse("/IpamDriver.RequestAddress",
		      "{\"PoolID\":\"default/lan/172.16.86.0/24\",\"Address\":\"\",\"Options\":"
		      "{\"RequestAddressType\":\"com.docker.network.gateway\"}}",
		      arena, &call, &error),
		0);
	assert_string_equal(call.pool.set, "default");
	assert_string_equal(call.pool.network, "lan");
	assert_string_equal(docker_pool_id(&call.pool, arena), "default/lan/172.16.86.0/24");
	assert_true(call.gateway);
	assert_int_equal(call.address.family, 0);
	arena_free(arena);
}

static void test_network(void **state)
{
	struct arena *arena = arena_new();
	struct docker_call call;
	struct error error;
	char text[IP_TEXT_SIZE];
	(void)state;
	assert_int_equal(
		parse("/NetworkDriver.CreateNetwork",
		      "{\"NetworkID\":\"" ID
		      "\",\"Options\":{\"com.docker.network.enable_ipv6\":true,"
		      "\"com.docker.network.generic\":{\"network\":\"lab/lan\"}},\"IPv4Data\":[{"
		      "\"AddressSpace\":\"mvapply\",\"Pool\":\"172.16.86.0/24\",\"Gateway\":"
		      "\"172.16.86.1/24\",\"AuxAddresses\":{}}],\"IPv6Data\":[{\"AddressSpace\":"
		      "\"mvapply\",\"Pool\":\"fd00::/64\"}]}",
		      arena, &call, &error),
		0);
	assert_string_equal(call.network_id, ID);
	assert_string_equal(call.network, "lab/lan");
	assert_int_equal(call.n_data, 2);
	assert_string_equal(call.data[0].address_space, "mvapply");
	assert_string_equal(ip_format(&call.data[0].gateway, text), "172.16.86.1");
	assert_int_equal(call.data[1].gateway.family, 0);
	arena_free(arena);
}

static void test_endpoint(void **state)
{
	struct arena *arena = arena_new();
	struct docker_call call;
	struct error error;
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	(void)state;
	assert_int_equal(parse("/NetworkDriver.CreateEndpoint",
			       "{\"NetworkID\":\"" ID
			       "\",\"EndpointID\":\"e\",\"Interface\":{\"Address\":"
			       "\"172.16.86.2/24\",\"AddressIPv6\":\"fd00::2/64\",\"MacAddress\":"
			       "\"02:42:ac:10:56:02\"},\"Options\":null}",
			       arena, &call, &error),
			 0);
	assert_string_equal(call.endpoint_id, "e");
	assert_string_equal(ip_format(&call.ipv4, ip), "172.16.86.2");
	assert_string_equal(ip_format(&call.ipv6_address, ip), "fd00::2");
	assert_string_equal(mac_format(&call.mac, mac), "02:42:ac:10:56:02");
	assert_int_equal(parse("/NetworkDriver.Join",
			       "{\"NetworkID\":\"" ID "\",\"EndpointID\":\"e\",\"SandboxKey\":"
			       "\"/var/run/docker/netns/1\"}",
			       arena, &call, &error),
			 0);
	assert_string_equal(call.sandbox, "/var/run/docker/netns/1");
	assert_int_equal(parse("/Plugin.Activate", "", arena, &call, &error), 0);
	assert_null(call.sandbox);
	arena_free(arena);
}

static void test_bad_calls(void **state)
{
	static const struct {
		const char *path, *text;
		enum code code;
	} rows[] = {
		{"/NetworkDriver.Leap", "{}", CODE_DOCKER_METHOD},
		{"NetworkDriver.Join", "{}", CODE_DOCKER_METHOD},
		{"/NetworkDriver.Join", "[]", CODE_DOCKER_CALL},
		{"/NetworkDriver.Join", "{", CODE_DOCKER_CALL},
		{"/NetworkDriver.Join", "{\"NetworkID\":\"n\"}", CODE_DOCKER_CALL},
		{"/NetworkDriver.Leave", "{\"EndpointID\":\"\\u0007\"}", CODE_DOCKER_CALL},
		{"/IpamDriver.RequestAddress", "{}", CODE_DOCKER_CALL},
		{"/IpamDriver.RequestAddress", "{\"PoolID\":\"lan/172.16.86.0/24\"}",
		 CODE_DOCKER_CALL},
		{"/IpamDriver.RequestAddress", "{\"PoolID\":\"//172.16.86.0/24\"}",
		 CODE_DOCKER_CALL},
		{"/IpamDriver.ReleaseAddress", "{\"PoolID\":\"a/b/172.16.86.0/24\"}",
		 CODE_DOCKER_CALL},
		{"/IpamDriver.RequestPool", "{\"Pool\":\"172.16.86.0\"}", CODE_DOCKER_CALL},
		{"/NetworkDriver.CreateEndpoint",
		 "{\"NetworkID\":\"n\",\"EndpointID\":\"e\",\"Interface\":{\"Address\":\"fd00::1/64\"}}",
		 CODE_DOCKER_CALL},
		{"/NetworkDriver.CreateEndpoint",
		 "{\"NetworkID\":\"n\",\"EndpointID\":\"e\",\"Interface\":{\"MacAddress\":\"x\"}}",
		 CODE_DOCKER_CALL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct docker_call call;
		struct error error;
		assert_true(parse(rows[i].path, rows[i].text, arena, &call, &error) < 0);
		assert_int_equal(error.code, rows[i].code);
		arena_free(arena);
	}
	assert_true(docker_path_is_ipam("/IpamDriver.RequestPool"));
	assert_false(docker_path_is_ipam("/NetworkDriver.Join"));
}

static void test_repeated(void **state)
{
	static const struct {
		const char *path;
		bool repeated;
		enum code code; /* 0: none */
	} rows[] = {
		{"/Plugin.Activate", false, 0},
		{"/IpamDriver.GetCapabilities", false, 0},
		{"/NetworkDriver.Leave", true, 0},
		{"/NetworkDriver.DeleteEndpoint", true, 0},
		{"/IpamDriver.ReleaseAddress", true, 0},
		{"/NetworkDriver.EndpointOperInfo", true, 0},
		{"/IpamDriver.RequestPool", false, CODE_DOCKER_REPEATED},
		{"/IpamDriver.RequestAddress", false, CODE_DOCKER_REPEATED},
		{"/NetworkDriver.CreateEndpoint", false, CODE_DOCKER_REPEATED},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct docker_call call;
		struct error error;
		assert_int_equal(parse(rows[i].path, "", arena, &call, &error),
				 rows[i].code ? -EINVAL : 0);
		assert_int_equal(error.code, rows[i].code);
		assert_int_equal(call.repeated, rows[i].repeated);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),      cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_bad_requests), cmocka_unit_test(test_pool),
		cmocka_unit_test(test_network),      cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_bad_calls),    cmocka_unit_test(test_repeated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
