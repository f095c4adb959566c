#include "lib/did_you_mean.h"
#include "schema/decode.h"
#include "schema/name_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

static void decode_text(const struct decode_state *state)
{
	const char *hint = NULL;
	const char *problem = text_problem(state->key->type, state->node->text, &hint);
	if (problem)
		decode_wrong(state, CODE_TEXT, hint, problem);
	else
		*(const char **)state->target =
			arena_strdup(state->context->arena, state->node->text);
}

static void decode_bool(const struct decode_state *state)
{
	static const struct {
		const char *text;
		bool value, exact;
	} words[] = {
		{"true", true, true}, {"false", false, true}, {"yes", true, false},
		{"no", false, false}, {"on", true, false},    {"off", false, false},
		{"y", true, false},   {"n", false, false},    {"1", true, false},
		{"0", false, false},
	};
	const char *hint = "write true or false";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].exact && strcmp(state->node->text, words[i].text) == 0) {
			*(bool *)state->target = words[i].value;
			return;
		}
		if (strcasecmp(state->node->text, words[i].text) == 0)
			hint = words[i].value ? "write true" : "write false";
	}
	decode_wrong(state, CODE_WORD, hint, "is neither true nor false");
}

static void decode_number(const struct decode_state *state)
{
	const struct key *key = state->key;
	const char *text = state->node->text, *digits = text + (*text == '-');
	size_t length = strlen(digits), zeros = strspn(digits, "0");
	struct context *context = state->context;

	if (!length || strspn(digits, DIGITS) != length) {
		decode_wrong(state, CODE_NUMBER,
			     hint_text(context, "write decimal digits, such as %s", key->example),
			     "is not a whole number");
		return;
	}
	if (zeros && length > 1) {
		zeros -= zeros == length;
		decode_wrong(state, CODE_NUMBER,
			     hint_text(context, "write %.*s%s", (int)(digits - text), text,
				       printable_text(context, digits + zeros)),
			     "has a leading zero");
		return;
	}
	long long value = length < 18 ? strtoll(text, NULL, 10) : key->max + 1;
	if (value < key->min || value > key->max) {
		decode_wrong(
			state, CODE_NUMBER, NULL,
			hint_text(context, "is not between %lld and %lld", key->min, key->max));
		return;
	}
	if (key->size == sizeof(uint16_t))
		*(uint16_t *)state->target = (uint16_t)value;
	else if (key->min < 0)
		*(int *)state->target = (int)value;
	else
		*(uint32_t *)state->target = (uint32_t)value;
}

static void decode_word(const struct decode_state *state)
{
	const struct word *words = state->key->words;
	struct suggestion suggestion = {.text = state->node->text};

	for (const struct word *word = words; word->name; word++) {
		if (strcmp(word->name, state->node->text) == 0) {
			*(uint8_t *)state->target = (uint8_t)word->value;
			return;
		}
		suggestion_try(&suggestion, word->name);
	}
	decode_wrong(state, CODE_WORD,
		     suggestion.best
			     ? hint_text(state->context, "did you mean %s?", suggestion.best)
			     : NULL,
		     hint_text(state->context, "is not one of %s",
			       words_list(state->context->scratch, words, WORDS_ALL)));
}

static const char *family_name(unsigned family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* The address family that a key requires; 0: any. */
static unsigned required_family(enum key_type type)
{
	return type == KEY_IPV4 ? AF_INET : type == KEY_IPV6 ? AF_INET6 : 0;
}

static void wrong_ip(const struct decode_state *state)
{
	struct context *context = state->context;
	unsigned family = required_family(state->key->type);
	struct prefix prefix;
	char text[IP_TEXT_SIZE];

	if (prefix_parse(state->node->text, &prefix))
		decode_wrong(state, CODE_ADDRESS,
			     hint_text(context, "write %s; the prefix length comes from the subnet",
				       ip_format(&prefix.ip, text)),
			     "is a prefix, not an address");
	else
		decode_wrong(state, CODE_ADDRESS,
			     hint_text(context, "write a value such as %s", state->key->example),
			     hint_text(context, "is not an %s address",
				       family ? family_name(family) : "IP"));
}

static void decode_ip(const struct decode_state *state)
{
	unsigned family = required_family(state->key->type);
	struct ip ip;
	if (!ip_parse(state->node->text, &ip)) {
		wrong_ip(state);
		return;
	}
	if (family && ip.family != family) {
		decode_wrong(state, CODE_ADDRESS,
			     hint_text(state->context, "use the key `ipv%c_address`",
				       ip.family == AF_INET ? '4' : '6'),
			     hint_text(state->context, "is an %s address", family_name(ip.family)));
		return;
	}
	*(struct ip *)state->target = ip;
}

/* The prefix length of a netmask such as 255.255.255.0, or -1. */
static int mask_length(const char *text)
{
	struct ip mask;
	if (!ip_parse(text, &mask) || mask.family != AF_INET)
		return -1;
	int length = 0;
	while (length < 32 && mask.bytes[length / 8] & (0x80 >> length % 8))
		length++;
	struct prefix prefix = {mask, (uint8_t)length};
	struct ip first = prefix_first(&prefix);
	return ip_equal(&first, &mask) ? length : -1;
}

static void wrong_prefix(const struct decode_state *state)
{
	struct context *context = state->context;
	const char *text = state->node->text, *slash = strchr(text, '/');
	struct ip ip;

	if (state->key->type == KEY_DESTINATION && strcmp(text, "default") == 0) {
		decode_wrong(state, CODE_ADDRESS, DEFAULT_ROUTE_HINT, "is not a prefix");
		return;
	}
	if (ip_parse(text, &ip)) {
		struct prefix suggestion = {ip, ip.family == AF_INET ? 24 : 64};
		char formatted[PREFIX_TEXT_SIZE];
		suggestion = prefix_subnet(&suggestion);
		decode_wrong(state, CODE_ADDRESS,
			     hint_text(context, "add the prefix length, such as %s",
				       prefix_format(&suggestion, formatted)),
			     "has no prefix length");
		return;
	}
	int length = slash ? mask_length(slash + 1) : -1;
	decode_wrong(state, CODE_ADDRESS,
		     length >= 0
			     ? hint_text(context, "write %.*s/%d",
					 (int)(slash - text < IP_TEXT_SIZE ? slash - text
									   : IP_TEXT_SIZE),
					 text, length)
			     : hint_text(context, "write a value such as %s", state->key->example),
		     "is not a prefix");
}

static void decode_prefix(const struct decode_state *state)
{
	struct prefix prefix, exact;
	char text[PREFIX_TEXT_SIZE];
	bool alone = state->key->type == KEY_DESTINATION && ip_parse(state->node->text, &prefix.ip);

	if (alone) {
		prefix.len = (uint8_t)ip_bits(&prefix.ip);
	} else if (!prefix_parse(state->node->text, &prefix)) {
		wrong_prefix(state);
		return;
	}
	exact = prefix_subnet(&prefix);
	if (!prefix_equal(&prefix, &exact)) {
		decode_wrong(state, CODE_HOST_BITS,
			     hint_text(state->context, "write %s", prefix_format(&exact, text)),
			     "has host bits set");
		return;
	}
	*(struct prefix *)state->target = prefix;
}

static void wrong_range(const struct decode_state *state, const struct ip_range *range)
{
	struct context *context = state->context;
	const char *text = state->node->text, *dash = strchr(text, '-');
	if (!range->first.family)
		decode_wrong(state, CODE_ADDRESS,
			     "write both addresses in full, such as 172.16.86.20-172.16.86.100",
			     "is not a range of addresses");
	else if (range->first.family != range->last.family)
		decode_wrong(state, CODE_ADDRESS, NULL, "has addresses of two families");
	else
		decode_wrong(
			state, CODE_ADDRESS,
			hint_text(context, "write %s-%.*s", dash + 1, (int)(dash - text), text),
			"ends before it begins");
}

/* A prefix, FIRST-LAST, or for KEY_EXCLUDE an address. */
static void decode_range(const struct decode_state *state)
{
	struct ip_range range = {0};
	struct prefix prefix = {0};
	struct decode_state as_prefix = *state;
	as_prefix.target = &prefix;
	if (strchr(state->node->text, '-')) {
		if (!ip_range_parse(state->node->text, &range) || !ip_range_valid(&range))
			wrong_range(state, &range);
	} else if (state->key->type == KEY_EXCLUDE && ip_parse(state->node->text, &range.first)) {
		range.last = range.first;
	} else {
		decode_prefix(&as_prefix);
		range = ip_range_of(&prefix);
	}
	if (!state->node->bad)
		*(struct ip_range *)state->target = range;
}

static void decode_mac(const struct decode_state *state)
{
	const char *problem = link_mac_parse(state->node->text, state->target);

	if (problem)
		decode_wrong(
			state, CODE_MAC,
			hint_text(state->context, "write a value such as %s", state->key->example),
			problem);
}

void decode_scalar(const struct decode_state *state)
{
	switch (state->key->type) {
	case KEY_NAME:
	case KEY_PARENT:
	case KEY_INTERFACE:
	case KEY_ALTNAME:
	case KEY_NETNS:
	case KEY_PID:
	case KEY_ENGINE:
	case KEY_POD:
	case KEY_PATH:
	case KEY_LXC:
	case KEY_INCUS:
	case KEY_UNIT:
	case KEY_MACHINE:
	case KEY_SYSCTL:
	case KEY_VALUE:
	case KEY_HOST:
	case KEY_HOST_NAME:
		decode_text(state);
		break;
	case KEY_BOOL:
		decode_bool(state);
		break;
	case KEY_NUMBER:
		decode_number(state);
		break;
	case KEY_WORD:
		decode_word(state);
		break;
	case KEY_IP:
	case KEY_IPV4:
	case KEY_IPV6:
		decode_ip(state);
		break;
	case KEY_PREFIX:
	case KEY_DESTINATION:
		decode_prefix(state);
		break;
	case KEY_RANGE:
	case KEY_EXCLUDE:
		decode_range(state);
		break;
	case KEY_MAC:
		decode_mac(state);
		break;
	case KEY_OBJECT:
	case KEY_LIST:
	case KEY_MAP:
	case KEY_NAMES:
		break;
	}
}
