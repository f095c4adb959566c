/* Addresses, prefixes and MACs: text to value and back, and their arithmetic. */
#include "lib/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};
	if (*text)
		assert_true(ip_parse(text, &ip));
	return ip;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix = {0};
	assert_true(prefix_parse(text, &prefix));
	return prefix;
}

static void ip_parses_and_formats(void **state)
{
	static const char *const texts[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"172.16.86.2", "172.16.86.2"},
		{"::", "::"},
		{"fd00:86::1", "fd00:86::1"},
		{"FD00:0086:0::1", "fd00:86::1"},
		{"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[IP_TEXT_SIZE];
		struct ip ip = ip_of(texts[i][0]);
		assert_string_equal(ip_format(&ip, text), texts[i][1]);
	}
}

static void ip_refuses(void **state)
{
	static const char *const texts[] = {
		"",          "1",        "1.2.3",      "1.2.3.4.5", "256.1.1.1",  "01.2.3.4",
		"1.2.3.4 ",  " 1.2.3.4", "1.2.3.4/24", "0x1.2.3.4", "fe80::1%lo", "fd00:::1",
		"fd00::1::", "12345::1", "::1/64",     "1.2.3.-4",  "localhost",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct ip ip = {.family = 99};
		assert_false(ip_parse(texts[i], &ip));
		assert_int_equal(ip.family, 99);
	}
}

static void prefix_parses_and_formats(void **state)
{
	static const char *const texts[][2] = {
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"172.16.86.5/24", "172.16.86.5/24"},
		{"10.0.0.1/32", "10.0.0.1/32"},
		{"::/0", "::/0"},
		{"FD00::/64", "fd00::/64"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[PREFIX_TEXT_SIZE];
		struct prefix prefix = prefix_of(texts[i][0]);
		assert_string_equal(prefix_format(&prefix, text), texts[i][1]);
	}
}

static void prefix_refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/08",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/8 ",
		"/8",
		"10.0.0/8",
		"::/129",
		"::/1000",
		"10.0.0.0/8/8",
		"10.0.0.0/255.0.0.0",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/1",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct prefix prefix = {.len = 99};
		assert_false(prefix_parse(texts[i], &prefix));
		assert_int_equal(prefix.len, 99);
	}
}

static void mac_parses_and_formats(void **state)
{
	char text[MAC_TEXT_SIZE];
	struct mac mac = {0}, same = {0};
	(void)state;
	assert_true(mac_parse("02:42:AC:10:56:02", &mac));
	assert_true(mac.set);
	assert_string_equal(mac_format(&mac, text), "02:42:ac:10:56:02");
	assert_true(mac_parse("02-42-ac-10-56-02", &same));
	assert_true(mac_equal(&mac, &same));
	same.set = false;
	assert_false(mac_equal(&mac, &same));
}

static void mac_refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"02:42:ac:10:56",
		"02:42:ac:10:56:02:03",
		"02:42:ac:10:56:0",
		"02:42:ac:10-56:02",
		"0242ac105602",
		"02:42:ac:10:56:0g",
		"0x:42:ac:10:56:02",
		"2:42:ac:10:56:002",
		"02.42.ac.10.56.02",
		"02:42:ac:10:56:02:",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mac mac = {0};
		assert_false(mac_parse(texts[i], &mac));
		assert_false(mac.set);
	}
}

static void ip_counts(void **state)
{
	static const char *const steps[][2] = {
		{"10.0.0.1", "10.0.0.2"},
		{"10.0.255.255", "10.1.0.0"},
		{"255.255.255.255", "0.0.0.0"},
		{"fd00::ffff:ffff", "fd00::1:0:0"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct ip from = ip_of(steps[i][0]), to = ip_of(steps[i][1]);
		struct ip next = ip_next(from), previous = ip_previous(to);
		assert_true(ip_equal(&next, &to));
		assert_true(ip_equal(&previous, &from));
	}
}

static void ip_compares(void **state)
{
	/* Each is lower than the next. */
	static const char *const texts[] = {"",          "0.0.0.0", "10.0.0.2", "10.0.0.10",
					    "200.0.0.0", "::",      "fd00::",   "fd00::1"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++) {
			struct ip a = ip_of(texts[i]), b = ip_of(texts[j]);
			int order = ip_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ip_equal(&a, &b), i == j);
		}
}

static void ip_has_bits(void **state)
{
	struct ip none = {0}, four = ip_of("1.2.3.4"), six = ip_of("::1");
	(void)state;
	assert_int_equal(ip_bits(&none), 0);
	assert_int_equal(ip_bits(&four), 32);
	assert_int_equal(ip_bits(&six), 128);
}

static void prefix_has_ends(void **state)
{
	static const char *const ends[][3] = {
		{"172.16.86.5/24", "172.16.86.0", "172.16.86.255"},
		{"172.16.86.5/32", "172.16.86.5", "172.16.86.5"},
		{"172.16.86.5/31", "172.16.86.4", "172.16.86.5"},
		{"172.16.86.5/0", "0.0.0.0", "255.255.255.255"},
		{"10.255.1.1/9", "10.128.0.0", "10.255.255.255"},
		{"fd00::5/127", "fd00::4", "fd00::5"},
		{"fd00::5/65", "fd00::", "fd00::7fff:ffff:ffff:ffff"},
		{"fd00::5/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct prefix prefix = prefix_of(ends[i][0]);
		struct ip first = ip_of(ends[i][1]), last = ip_of(ends[i][2]);
		struct ip is_first = prefix_first(&prefix), is_last = prefix_last(&prefix);
		assert_true(ip_equal(&is_first, &first));
		assert_true(ip_equal(&is_last, &last));
		struct prefix subnet = prefix_subnet(&prefix);
		assert_true(ip_equal(&subnet.ip, &first));
		assert_int_equal(subnet.len, prefix.len);
		assert_true(prefix_contains(&prefix, &first));
		assert_true(prefix_contains(&prefix, &last));
		struct ip outside = ip_next(last);
		assert_int_equal(prefix_contains(&prefix, &outside), prefix.len == 0);
	}
}

static void prefix_keeps_families_apart(void **state)
{
	struct prefix four = prefix_of("0.0.0.0/0"), six = prefix_of("::/0"), none = {0};
	struct ip ip4 = ip_of("1.2.3.4"), ip6 = ip_of("::1"), nothing = {0};
	(void)state;
	assert_false(prefix_contains(&four, &ip6));
	assert_false(prefix_contains(&six, &ip4));
	assert_false(prefix_contains(&none, &ip4));
	assert_false(prefix_contains(&none, &nothing));
	assert_false(prefix_overlaps(&four, &six));
}

static void prefix_overlap_is_mutual(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlaps;
	} pairs[] = {
		{"10.0.0.0/8", "10.1.0.0/16", true},       {"10.0.0.0/8", "11.0.0.0/8", false},
		{"10.0.0.0/25", "10.0.0.128/25", false},   {"10.0.0.5/24", "10.0.0.9/24", true},
		{"0.0.0.0/0", "255.255.255.255/32", true}, {"fd00::/64", "fd00::1/128", true},
		{"fd00::/64", "fd00:0:0:1::/64", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct prefix a = prefix_of(pairs[i].a), b = prefix_of(pairs[i].b);
		assert_int_equal(prefix_overlaps(&a, &b), pairs[i].overlaps);
		assert_int_equal(prefix_overlaps(&b, &a), pairs[i].overlaps);
	}
}

static void prefix_usable_addresses(void **state)
{
	static const struct {
		const char *prefix, *ip;
		bool usable;
	} cases[] = {
		{"10.0.0.0/24", "10.0.0.0", false},
		{"10.0.0.0/24", "10.0.0.1", true},
		{"10.0.0.0/24", "10.0.0.254", true},
		{"10.0.0.0/24", "10.0.0.255", false},
		{"10.0.0.0/24", "10.0.1.1", false},
		{"10.0.0.0/30", "10.0.0.3", false},
		{"10.0.0.0/31", "10.0.0.0", true},
		{"10.0.0.0/31", "10.0.0.1", true},
		{"10.0.0.1/32", "10.0.0.1", true},
		{"10.0.0.1/32", "10.0.0.2", false},
		{"fd00::/64", "fd00::", false},
		{"fd00::/64", "fd00::1", true},
		{"fd00::/126", "fd00::3", true},
		{"fd00::/126", "fd00::", false},
		{"fd00::/64", "fd00::ffff:ffff:ffff:ffff", true},
		{"fd00::/127", "fd00::", true},
		{"fd00::1/128", "fd00::1", true},
		{"fd00::/64", "10.0.0.1", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix prefix = prefix_of(cases[i].prefix);
		struct ip ip = ip_of(cases[i].ip);
		assert_int_equal(prefix_usable(&prefix, &ip), cases[i].usable);
	}
}

static void prefix_equality_sees_host_bits(void **state)
{
	struct prefix a = prefix_of("10.0.0.1/24"), b = prefix_of("10.0.0.2/24");
	struct prefix c = prefix_of("10.0.0.1/25");
	(void)state;
	assert_true(prefix_equal(&a, &a));
	assert_false(prefix_equal(&a, &b));
	assert_false(prefix_equal(&a, &c));
}

static void test_link_local(void **state)
{
	static const struct {
		const char *text;
		bool link_local;
	} rows[] = {{"fe80::1", true},  {"febf:ffff::1", true}, {"fec0::1", false},
		    {"fe7f::1", false}, {"fd00::1", false},     {"169.254.0.1", false}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip ip;
		assert_true(ip_parse(rows[i].text, &ip));
		assert_int_equal(ip_is_link_local(&ip), rows[i].link_local);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_parses_and_formats),
		cmocka_unit_test(ip_refuses),
		cmocka_unit_test(prefix_parses_and_formats),
		cmocka_unit_test(prefix_refuses),
		cmocka_unit_test(mac_parses_and_formats),
		cmocka_unit_test(mac_refuses),
		cmocka_unit_test(ip_counts),
		cmocka_unit_test(ip_compares),
		cmocka_unit_test(ip_has_bits),
		cmocka_unit_test(prefix_has_ends),
		cmocka_unit_test(prefix_keeps_families_apart),
		cmocka_unit_test(prefix_overlap_is_mutual),
		cmocka_unit_test(prefix_usable_addresses),
		cmocka_unit_test(prefix_equality_sees_host_bits),
		cmocka_unit_test(test_link_local),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
