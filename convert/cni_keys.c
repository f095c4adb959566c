/* The spelling of CNI's keys. */
#include "convert/cni_internal.h"

#include "convert/json_read.h"

#include <string.h>
#include <strings.h>

/* The keys of the specification, and of the plugins macvlan, ipvlan, vlan, tuning, host-local,
 * static, dhcp and whereabouts. */
static const char *const keys[] = {
	"vlan",
	"cniVersion",
	"cniVersions",
	"name",
	"type",
	"plugins",
	"capabilities",
	"ipam",
	"dns",
	"args",
	"runtimeConfig",
	"disableCheck",
	"disableGC",
	"prevResult",
	"master",
	"mode",
	"mtu",
	"vlanId",
	"bcqueuelen",
	"mac",
	"linkInContainer",
	"subnet",
	"ranges",
	"rangeStart",
	"rangeEnd",
	"gateway",
	"routes",
	"dst",
	"gw",
	"advmss",
	"priority",
	"table",
	"scope",
	"dataDir",
	"address",
	"resolvConf",
	"addresses",
	"range",
	"ipRanges",
	"exclude",
	"range_start",
	"range_end",
	"sysctl",
	"promisc",
	"allmulti",
	"txQLen",
};

enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

/* Unicode folds two non-ASCII letters to an ASCII letter (encoding/json, fold.go). */
static const struct {
	const char *bytes;
	char letter;
} folded[] = {{"\xc5\xbf", 's'}, {"\xe2\x84\xaa", 'k'}};

/* The length of the letter at `text` in bytes, and its ASCII equivalent. */
static size_t letter_at(const char *text, char *ret)
{
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
		if (strncmp(text, folded[i].bytes, strlen(folded[i].bytes)) != 0)
			continue;
		*ret = folded[i].letter;
		return strlen(folded[i].bytes);
	}
	*ret = *text;
	return 1;
}

static bool same_letters(const char *text, const char *key)
{
	while (*text && *key) {
		char letter;
		text += letter_at(text, &letter);
		if (strncasecmp(&letter, key++, 1) != 0)
			return false;
	}
	return !*text && !*key;
}

static const char *spelling(const char *text)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (same_letters(text, keys[i]))
			return keys[i];
	return text;
}

static json_t *canonical_object(const json_t *object)
{
	json_t *copy = json_object();
	json_each (object, member)
		json_object_set_new(copy, spelling(json_object_iter_key(member)),
				    cni_canonical(json_object_iter_value(member)));
	return copy;
}

json_t *cni_canonical(const json_t *conf)
{
	if (json_is_object(conf))
		return canonical_object(conf);
	if (!json_is_array(conf))
		return json_copy((json_t *)(uintptr_t)conf);
	json_t *copy = json_array();
	for (size_t i = 0; i < json_array_size(conf); i++)
		json_array_append_new(copy, cni_canonical(json_array_get(conf, i)));
	return copy;
}
