/* A call of the CNI plugin: what its environment and its standard input request. */
#include "container_engine/cni_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID         "6f7567c01e05"
#define CONF(keys) "{\"cniVersion\":\"1.0.0\",\"name\":\"lan\",\"type\":\"mvapply\"" keys "}"

static const struct cni_environment add = {
	.command = "ADD", .container_id = ID, .netns = "/run/netns/web", .ifname = "eth0"};

static int parse(const struct cni_environment *environment, const char *text, struct arena *arena,
		 struct cni_request *ret, struct error *error)
{
	*error = (struct error){0};
	return cni_request_parse(environment, text, strlen(text), arena, ret, error);
}

static void test_whole(void **state)
{
	static const char text[] =
		CONF(",\"network\":\"lab/dmz\",\"files\":[\"/a\",\"/b\"],"
		     "\"runtimeConfig\":{\"ips\":[\"172.16.86.9/24\",\"fd00::9\"],"
		     "\"mac\":\"02:00:00:00:00:09\"},\"prevResult\":{\"interfaces\":[]}");
	struct cni_environment environment = add;
	struct arena *arena = arena_new();
	struct cni_request request;
	struct error error;
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	(void)state;
	environment.args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;odd;=x";
	assert_int_equal(parse(&environment, text, arena, &request, &error), 0);
	assert_int_equal(request.command, CNI_ADD);
	assert_string_equal(request.version, "1.0.0");
	assert_string_equal(request.network, "lab/dmz");
	assert_int_equal(request.n_files, 2);
	assert_string_equal(request.files[1], "/b");
	assert_string_equal(request.interface.container_id, ID);
	assert_string_equal(request.interface.ifname, "eth0");
	assert_string_equal(request.netns, "/run/netns/web");
	assert_string_equal(request.pod_namespace, "shop");
	assert_string_equal(request.pod_name, "web");
	assert_string_equal(ip_format(&request.ipv4, ip), "172.16.86.9");
	assert_string_equal(ip_format(&request.ipv6, ip), "fd00::9");
	assert_string_equal(mac_format(&request.mac, mac), "02:00:00:00:00:09");
	assert_true(json_is_object(request.previous));
	json_decref(request.previous);
	arena_free(arena);
}

/* The least that a runtime says, in each version. */
static void test_least(void **state)
{
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; cni_versions[i]; i++) {
		struct cni_request request;
		struct error error;
		const char *text = arena_printf(arena, "{\"cniVersion\":\"%s\",\"name\":\"lan\"}",
						cni_versions[i]);
		assert_int_equal(parse(&add, text, arena, &request, &error), 0);
		assert_string_equal(request.version, cni_versions[i]);
		assert_string_equal(request.network, "lan");
		assert_int_equal(request.n_files, 1);
		assert_string_equal(request.files[0], "/etc/mvapply");
		assert_null(request.previous);
		assert_null(request.pod_name);
		assert_int_equal(request.ipv4.family, 0);
		assert_false(request.mac.set);
	}
	arena_free(arena);
}

static void test_commands(void **state)
{
	static const struct {
		struct cni_environment environment;
		const char *text;
		enum code code; /* CODE_NONE: accepted */
	} rows[] = {
		{{.command = "VERSION"}, "", CODE_NONE},
		{{.command = "VERSION"}, "{\"cniVersion\":\"9.9.9\"}", CODE_NONE},
		{{.command = "STATUS"}, CONF(""), CODE_NONE},
		{{.command = "GC"}, CONF(",\"cni.dev/valid-attachments\":[]"), CODE_NONE},
		{{.command = "GC"}, CONF(""), CODE_CNI_CONFIGURATION},
		{{.command = "GC"},
		 CONF(",\"cni.dev/valid-attachments\":[{\"containerID\":\"a\"}]"),
		 CODE_CNI_CONFIGURATION},
		/* The namespace may be gone when it is deleted. */
		{{.command = "DEL", .container_id = ID, .ifname = "eth0"}, CONF(""), CODE_NONE},
		{{.command = "DEL", .container_id = ID, .ifname = "eth0", .netns = ""},
		 CONF(""),
		 CODE_NONE},
		{{.command = "ADD", .container_id = ID, .ifname = "eth0"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "CHECK", .container_id = ID, .ifname = "eth0"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .container_id = ID, .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .ifname = "eth0", .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .container_id = ID, .ifname = "eth0", .netns = "n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .container_id = ID, .ifname = "a/b", .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .container_id = ID, .ifname = "eth%d", .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD", .container_id = ID, .ifname = "all", .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "ADD",
		  .container_id = ID,
		  .ifname = "0123456789abcdef",
		  .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = "add", .container_id = ID, .ifname = "eth0", .netns = "/n"},
		 CONF(""),
		 CODE_CNI_ENVIRONMENT},
		{{.command = NULL}, CONF(""), CODE_CNI_ENVIRONMENT},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cni_request request;
		struct error error;
		const int status =
			parse(&rows[i].environment, rows[i].text, arena, &request, &error);
		assert_int_equal(status < 0, rows[i].code != CODE_NONE);
		assert_int_equal(error.code, rows[i].code);
	}
	arena_free(arena);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text;
		enum code code;
	} rows[] = {
		{"", CODE_CNI_INPUT},
		{"[]", CODE_CNI_INPUT},
		{"{\"cniVersion\"", CODE_CNI_INPUT},
		{"{\"name\":\"lan\"}", CODE_CNI_VERSION},
		{"{\"cniVersion\":\"0.2.0\",\"name\":\"lan\"}", CODE_CNI_VERSION},
		{"{\"cniVersion\":1,\"name\":\"lan\"}", CODE_CNI_VERSION},
		{"{\"cniVersion\":\"1.0.0\"}", CODE_CNI_CONFIGURATION},
		{CONF(",\"network\":\"\""), CODE_CNI_CONFIGURATION},
		{CONF(",\"network\":7"), CODE_CNI_CONFIGURATION},
		{CONF(",\"files\":\"etc\""), CODE_CNI_CONFIGURATION},
		{CONF(",\"files\":[]"), CODE_CNI_CONFIGURATION},
		{CONF(",\"files\":[\"/a\",7]"), CODE_CNI_CONFIGURATION},
		{CONF(",\"runtimeConfig\":{\"ips\":\"10.0.0.1\"}"), CODE_CNI_CONFIGURATION},
		{CONF(",\"runtimeConfig\":{\"ips\":[\"10.0.0\"]}"), CODE_CNI_CONFIGURATION},
		{CONF(",\"runtimeConfig\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}"),
		 CODE_CNI_CONFIGURATION},
		{CONF(",\"args\":{\"cni\":{\"mac\":\"x\"}}"), CODE_CNI_CONFIGURATION},
		{CONF(",\"runtimeConfig\":{\"mac\":[]}"), CODE_CNI_CONFIGURATION},
		{CONF(",\"prevResult\":7"), CODE_CNI_CONFIGURATION},
	};
	struct arena *arena = arena_new();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cni_request request;
		struct error error;
		assert_true(parse(&add, rows[i].text, arena, &request, &error) < 0);
		assert_int_equal(error.code, rows[i].code);
		assert_non_null(request.version);
		assert_null(request.previous);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
