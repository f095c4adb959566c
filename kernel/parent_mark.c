#include "kernel/parent_mark.h"

#include "schema/name_rules.h"

#include <stdlib.h>
#include <string.h>

#define WAS "mvapply-was."
#define FOR "mvapply-for."

#define MAX_DIGITS 9 /* of an MTU: it fits into 32 bits */

/* Skips decimal digits and the dot behind them; false: there are none, or too many. */
static bool number_skip(const char **text, size_t max_digits, uint32_t *ret)
{
	const size_t digits = strspn(*text, "0123456789");
	if (!digits || digits > max_digits || (*text)[digits] != '.')
		return false;
	*ret = (uint32_t)strtoul(*text, NULL, 10);
	*text += digits + 1;
	return true;
}

static struct parent_mark was_parse(const char *text)
{
	struct parent_mark mark = {.kind = PARENT_MARK_WAS, .up = strncmp(text, "up.", 3) == 0};
	const struct parent_mark none = {.kind = PARENT_MARK_NONE};
	if (!mark.up && strncmp(text, "down.", 5) != 0)
		return none;
	text += mark.up ? 3 : 5;
	const size_t digits = strspn(text, "0123456789");
	mark.mtu = (uint32_t)strtoul(text, NULL, 10);
	return digits && digits <= MAX_DIGITS && !text[digits] ? mark : none;
}

struct parent_mark parent_mark_parse(const char *altname)
{
	const struct parent_mark none = {.kind = PARENT_MARK_NONE};
	struct parent_mark mark = {.kind = PARENT_MARK_FOR};
	const char *text = altname + strlen(WAS), *ignored;
	uint32_t ifindex;
	const bool was = strncmp(altname, WAS, strlen(WAS)) == 0;
	if (!was && strncmp(altname, FOR, strlen(FOR)) != 0)
		return none;
	if (!number_skip(&text, 10, &ifindex))
		return none;
	if (was)
		return was_parse(text);
	if (!number_skip(&text, MAX_DIGITS, &mark.mtu) || text_problem(KEY_NAME, text, &ignored))
		return none;
	mark.set = text;
	return mark;
}

const char *parent_mark_format(struct arena *arena, int ifindex, const struct parent_mark *mark)
{
	if (mark->kind == PARENT_MARK_WAS)
		return arena_printf(arena, WAS "%d.%s.%u", ifindex, mark->up ? "up" : "down",
				    mark->mtu);
	return arena_printf(arena, FOR "%d.%u.%s", ifindex, mark->mtu, mark->set);
}
