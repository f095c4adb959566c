/* The check of traffic: sends questions to the gateways, and reports where the path to one breaks.
 */
#include "cmd/ansi.h"
#include "cmd/doctor/doctor.h"
#include "lib/json_text.h"
#include "lib/printable.h"
#include "lib/wrap.h"

#include <stdio.h>
#include <string.h>

/* The number of names of a list that are shown; the others are counted. */
#define NAMES_MAX 3

/* {gateway}, {parent}, {base}, {vlan}, {holder}, {answers} and {error} stand for what is known. */
struct break_text {
	enum finding_level level;
	bool of_parent; /* the subject is the parent; else the attachments */
	enum code code;
	const char *text, *fix;
};

#define FIX_APPLY                                                                                  \
	"`mvapply apply` restores it; if it is lost again, a program in the container removes it"

static const struct break_text breaks[N_TRAFFIC_BREAKS] = {
	[BREAK_UNASKED] = {FINDING_PROBLEM, false, CODE_TRAFFIC_UNASKED,
			   "no request could be sent to {gateway}: {error}",
			   "run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and "
			   "CAP_NET_RAW; if the container has just been restarted, run it again"},
	[BREAK_PARENT_DOWN] = {FINDING_PROBLEM, true, CODE_TRAFFIC_PARENT,
			       "is down: {gateway} cannot be reached", "`ip link set {parent} up`"},
	[BREAK_CARRIER] = {FINDING_PROBLEM, true, CODE_TRAFFIC_PARENT,
			   "has no carrier: {gateway} cannot be reached",
			   "connect its cable, or bring its peer up; `ip link show {parent}` shows "
			   "the carrier as LOWER_UP"},
	[BREAK_LINK_DOWN] = {FINDING_PROBLEM, false, CODE_TRAFFIC_CONTAINER,
			     "the link in the container is down: {gateway} cannot be reached",
			     "`mvapply apply` brings it up; if it goes down again, a program in "
			     "the container does that"},
	[BREAK_ADDRESS] = {FINDING_PROBLEM, false, CODE_TRAFFIC_CONTAINER,
			   "the link in the container has no usable address in the subnet of "
			   "{gateway}",
			   FIX_APPLY},
	[BREAK_ROUTE] = {FINDING_PROBLEM, false, CODE_TRAFFIC_CONTAINER,
			 "{gateway} answers, but the container has no default route through it",
			 FIX_APPLY},
	[BREAK_DUPLICATE] = {FINDING_PROBLEM, true, CODE_TRAFFIC_DUPLICATE,
			     "several machines answer for the gateway {gateway}: {answers}",
			     "find the wrong machine by its MAC address, and give it another "
			     "address"},
	[BREAK_HOST_GATEWAY] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_SEPARATED,
		 "the gateway {gateway} is an address of the host itself ({holder}), "
		 "and no frames pass between a parent and the links on it",
		 "use a router of the LAN as the gateway; `host: true` gives the "
		 "host a link that the containers reach, under another address"},
	[BREAK_ISOLATED] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_SEPARATED,
		 "the gateway {gateway} is on {holder}, on the same parent, and the mode "
		 "of the network passes no frames between them",
		 "use `mode: bridge`"},
	[BREAK_SOME] = {FINDING_PROBLEM, false, CODE_TRAFFIC_SOME,
			"{gateway} answers only other attachments on {parent}",
			"check whether the switch port limits the number of MAC addresses, whether "
			"another machine has the same address or MAC address, and whether a "
			"firewall in the container drops ARP or ICMPv6"},
	[BREAK_MAC_FILTER] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_MAC,
		 "{gateway} answers {parent} itself, but no attachment on it: a device on the "
		 "path drops frames with MAC addresses other than the host's",
		 "allow several MAC addresses on the port (hypervisor: forged "
		 "transmits, MAC spoofing, promiscuous mode; switch: port security), "
		 "or use `driver: ipvlan`, also for wireless links"},
	[BREAK_IP_FILTER] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_IP,
		 "{gateway} answers {parent} itself, but no attachment on it, although all have "
		 "the same MAC address: a device on the path filters IP addresses",
		 "assign the containers' addresses to the machine, as clouds require, or remove "
		 "the filter of the switch (IP source guard)"},
	[BREAK_TAGGED] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_VLAN,
		 "{gateway} answers on {base} without a tag, but not on VLAN {vlan}",
		 "remove `vlan: {vlan}` from the network, or configure the switch port as a "
		 "trunk with VLAN {vlan} tagged"},
	[BREAK_VLAN] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_VLAN,
		 "gateways on {base} answer, but {gateway} on VLAN {vlan} does not: the VLAN "
		 "is not carried",
		 "configure the switch port as a trunk with VLAN {vlan} tagged; if {base} is "
		 "a VLAN-aware bridge: `bridge vlan add vid {vlan} dev {base} self`, and the "
		 "same without `self` for its port"},
	[BREAK_GATEWAY] = {FINDING_PROBLEM, true, CODE_TRAFFIC_GATEWAY,
			   "{gateway} does not answer, but other gateways on {parent} do",
			   "check that this gateway is on and has the address in the file"},
	[BREAK_NO_ANSWER] =
		{FINDING_PROBLEM, true, CODE_TRAFFIC_GATEWAY,
		 "{gateway} does not answer on {parent}",
		 "check that the gateway is on and has the address in the file, that the cable "
		 "of {parent} is connected to its LAN, and whether the switch port tags this LAN "
		 "with a VLAN id"},
};

/* The same breaks, where the other kind of parent needs other words. */
static const struct break_text vlan_silent = {
	FINDING_PROBLEM, true, CODE_TRAFFIC_GATEWAY,
	"{gateway} answers neither on VLAN {vlan} nor untagged on {base}",
	"check that the switch port is a trunk with VLAN {vlan} tagged, and that the gateway is "
	"on and has the address in the file"};
static const struct break_text untagged = {
	FINDING_PROBLEM, true, CODE_TRAFFIC_VLAN,
	"gateways on VLANs of {parent} answer, but {gateway} does not answer untagged frames",
	"set `vlan` on the network, or configure an untagged (native) VLAN on the switch port"};
static const struct break_text different = {
	FINDING_WARNING, true, CODE_TRAFFIC_DUPLICATE,
	"different machines answer different attachments for the gateway {gateway}: {answers}",
	"this is normal for routers that share their load (GLBP); otherwise find the wrong "
	"machine by its MAC address, and give it another address"};

/* Of one segment: what its findings need. */
struct reporter {
	struct examination *examination;
	const struct traffic *traffic;
	const struct traffic_segment *segment;
	size_t number;
	int errnum; /* why a question of the segment could not be sent; 0: each could */
};

static const char *label(const struct examination *examination, const struct set *set,
			 const struct container *container, const struct attachment *attachment)
{
	const bool several = examination->desired->n_sets > 1;
	return arena_printf(examination->arena, "%s%s%s/%s", several ? set->name : "",
			    several ? ":" : "", container->name, attachment->name);
}

/* A list of names that stops at a few. */
struct names {
	const char *text;
	size_t count;
};

static void names_add(struct arena *arena, struct names *names, const char *name)
{
	if (names->count++ < NAMES_MAX)
		names->text = names->text ? arena_printf(arena, "%s, %s", names->text, name) : name;
}

static const char *names_text(struct arena *arena, const struct names *names)
{
	return names->count > NAMES_MAX ? arena_printf(arena, "%s and %zu more", names->text,
						       names->count - NAMES_MAX)
					: names->text;
}

static bool in_segment(const struct reporter *reporter, const struct traffic_question *question)
{
	return question->segment == reporter->number && question->role != TRAFFIC_UNTAGGED;
}

/* The MACs that answer in the segment, each once. */
static size_t answers_of(const struct reporter *reporter, struct mac macs[TRAFFIC_ANSWERS_MAX])
{
	const struct traffic *traffic = reporter->traffic;
	size_t count = 0;
	for (size_t i = 0; i < traffic->n_questions; i++) {
		const struct traffic_question *question = &traffic->questions[i];
		for (size_t k = 0; in_segment(reporter, question) && k < question->n_answers; k++) {
			size_t known = 0;
			while (known < count && !mac_equal(&macs[known], &question->answers[k]))
				known++;
			if (known == count && count < TRAFFIC_ANSWERS_MAX)
				macs[count++] = question->answers[k];
		}
	}
	return count;
}

/* Whether a link of the namespace can be the one that answers: the host's, or one on the parent. */
static bool may_answer(const struct reporter *reporter, const struct live_ns *ns,
		       const struct live_link *link)
{
	const struct live_link *parent = reporter->segment->parent;
	return ns->host || (parent && live_link_on(link, parent->ifindex));
}

/* "02:00:00:00:00:01", and whose link it is, if it is one of this host. */
static const char *mac_text(const struct reporter *reporter, const struct mac *mac)
{
	struct arena *arena = reporter->examination->arena;
	const struct live *live = reporter->examination->run->live;
	char text[MAC_TEXT_SIZE];
	mac_format(mac, text);
	for (size_t i = 0; i < live->n_namespaces; i++) {
		const struct live_ns *ns = live->namespaces[i];
		for (size_t k = 0; k < ns->n_links; k++)
			if (mac_equal(&ns->links[k].mac, mac) &&
			    may_answer(reporter, ns, &ns->links[k]))
				return arena_printf(arena, "%s (%s in %s)", text, ns->links[k].name,
						    ns->name);
	}
	return arena_strdup(arena, text);
}

static const char *answers_text(const struct reporter *reporter)
{
	struct mac macs[TRAFFIC_ANSWERS_MAX];
	const size_t count = answers_of(reporter, macs);
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = arena_printf(reporter->examination->arena, "%s%s%s", text, i ? ", " : "",
				    mac_text(reporter, &macs[i]));
	return text;
}

static const char *gateway_text(const struct reporter *reporter)
{
	char text[IP_TEXT_SIZE];
	return arena_strdup(reporter->examination->arena,
			    ip_format(&reporter->segment->gateway, text));
}

static const char *parent_text(const struct reporter *reporter)
{
	return reporter->segment->parent ? reporter->segment->parent->name : "its parent";
}

static const char *base_text(const struct reporter *reporter)
{
	return reporter->segment->base ? reporter->segment->base->name : parent_text(reporter);
}

static const char *vlan_text(const struct reporter *reporter)
{
	const struct traffic_segment *segment = reporter->segment;
	return arena_printf(reporter->examination->arena, "%u",
			    segment->base ? segment->parent->vlan : 0U);
}

static const char *holder_text(const struct reporter *reporter)
{
	return reporter->segment->holder_name ? reporter->segment->holder_name : "a link";
}

static const char *error_text(const struct reporter *reporter)
{
	return strerror(reporter->errnum);
}

static const struct {
	const char *word;
	const char *(*text)(const struct reporter *reporter);
} words[] = {
	{"gateway", gateway_text}, {"parent", parent_text}, {"base", base_text},
	{"vlan", vlan_text},       {"holder", holder_text}, {"answers", answers_text},
	{"error", error_text},
};

static const char *word_value(const struct reporter *reporter, const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == length && strncmp(words[i].word, word, length) == 0)
			return words[i].text(reporter);
	return "";
}

/* The template with values in place of its {words}. */
static const char *expand(const struct reporter *reporter, const char *template)
{
	struct arena *arena = reporter->examination->arena;
	const char *text = "";
	for (const char *open; (open = strchr(template, '{'));) {
		const char *close = strchr(open, '}');
		text = arena_printf(arena, "%s%.*s%s", text, (int)(open - template), template,
				    word_value(reporter, open + 1, (size_t)(close - open - 1)));
		template = close + 1;
	}
	return arena_printf(arena, "%s%s", text, template);
}

static const struct break_text *text_of(const struct reporter *reporter, enum traffic_break at)
{
	const bool vlan = reporter->segment->base != NULL;
	if (at == BREAK_NO_ANSWER && vlan)
		return &vlan_silent;
	if (at == BREAK_VLAN && !vlan)
		return &untagged;
	return &breaks[at];
}

static void add(const struct reporter *reporter, const struct break_text *text,
		const char *attachments)
{
	finding_add(reporter->examination, text->level,
		    text->of_parent ? parent_text(reporter) : attachments,
		    expand(reporter, text->text), expand(reporter, text->fix))
		->code = text->code;
}

/* One finding for all attachments of a segment that have the same cause. */
static void segment_report(struct reporter *reporter)
{
	struct arena *arena = reporter->examination->arena;
	const struct traffic *traffic = reporter->traffic;
	struct names names[N_TRAFFIC_BREAKS] = {0};
	for (size_t i = 0; i < traffic->n_questions; i++) {
		const struct traffic_question *question = &traffic->questions[i];
		if (question->segment != reporter->number || question->role != TRAFFIC_ATTACHMENT)
			continue;
		if (question->errnum)
			reporter->errnum = question->errnum;
		names_add(arena, &names[question->break_at],
			  label(reporter->examination, question->set, question->container,
				question->attachment));
	}
	for (enum traffic_break at = BREAK_NONE + 1; at < N_TRAFFIC_BREAKS; at++)
		if (names[at].count)
			add(reporter, text_of(reporter, at), names_text(arena, &names[at]));
	struct mac macs[TRAFFIC_ANSWERS_MAX];
	if (!names[BREAK_DUPLICATE].count && answers_of(reporter, macs) > 1)
		add(reporter, &different, NULL);
}

const char *examine_traffic(struct examination *examination)
{
	struct arena *arena = examination->arena;
	if (!examination->ask_traffic)
		return NULL;
	struct traffic *traffic = arena_alloc(arena, sizeof(*traffic));
	*traffic = traffic_questions(examination->desired, examination->run->live,
				     examination->run->plan, arena);
	traffic_query(traffic, examination->run->live);
	traffic_judge(traffic);
	examination->traffic = traffic;
	for (size_t i = 0; i < traffic->n_segments; i++)
		segment_report(&(struct reporter){.examination = examination,
						  .traffic = traffic,
						  .segment = &traffic->segments[i],
						  .number = i});
	return NULL;
}

static void row(const struct text *text, const char *state, const char *color, const char *line)
{
	printf("%s%-8s%s traffic    %s\n", text->color ? color : "", state,
	       text->color ? SGR_RESET : "", line);
}

static void report_segment(const struct reporter *reporter, const struct text *text)
{
	const struct traffic_segment *segment = reporter->segment;
	struct arena *arena = reporter->examination->arena;
	struct mac macs[TRAFFIC_ANSWERS_MAX];
	if (segment->answered < segment->attachments || answers_of(reporter, macs) != 1)
		return;
	row(text, "ok", SGR_GREEN,
	    printable(arena, arena_printf(arena, "%s on %s answers %zu attachment%s from %s",
					  gateway_text(reporter), parent_text(reporter),
					  segment->answered, segment->answered == 1 ? "" : "s",
					  mac_text(reporter, &macs[0]))));
}

/* One row for each reason. */
static void report_skips(const struct examination *examination, const struct text *text)
{
	const struct traffic *traffic = examination->traffic;
	struct arena *arena = examination->arena;
	struct names names[N_SKIP_REASONS] = {0};
	for (size_t i = 0; i < traffic->n_skips; i++) {
		const struct traffic_skip *skip = &traffic->skips[i];
		names_add(arena, &names[skip->reason],
			  label(examination, skip->set, skip->container, skip->attachment));
	}
	for (enum skip_reason reason = 0; reason < N_SKIP_REASONS; reason++)
		if (names[reason].count)
			row(text, "skipped", "",
			    printable(arena, arena_printf(arena, "%s: %s",
							  names_text(arena, &names[reason]),
							  skip_reason_text(reason))));
}

void traffic_report(struct examination *examination, const struct text *text)
{
	const struct traffic *traffic = examination->traffic;
	for (size_t i = 0; i < traffic->n_segments; i++)
		report_segment(&(struct reporter){.examination = examination,
						  .traffic = traffic,
						  .segment = &traffic->segments[i],
						  .number = i},
			       text);
	report_skips(examination, text);
}

static const char *const role_names[] = {
	[TRAFFIC_ATTACHMENT] = "attachment",
	[TRAFFIC_PARENT] = "parent",
	[TRAFFIC_UNTAGGED] = "untagged",
};

static json_t *json_answers(const struct traffic_question *question)
{
	char text[MAC_TEXT_SIZE];
	json_t *list = json_array();
	for (size_t i = 0; i < question->n_answers; i++)
		json_push(list, json_string(mac_format(&question->answers[i], text)));
	return list;
}

static json_t *json_question(const struct traffic *traffic, const struct traffic_question *question)
{
	char text[IP_TEXT_SIZE];
	const bool attachment = question->role == TRAFFIC_ATTACHMENT;
	json_t *object =
		json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "asked_by",
			  role_names[question->role], "set",
			  json_text(attachment ? question->set->name : NULL), "container",
			  json_text(attachment ? question->container->name : NULL), "network",
			  json_text(attachment ? question->attachment->network->name : NULL),
			  "attachment", json_text(attachment ? question->attachment->name : NULL),
			  "link", json_text(question->link->name), "gateway",
			  ip_format(&traffic->segments[question->segment].gateway, text), "asked",
			  question->sent, "answers", json_answers(question));
	json_put(object, "breaks_at",
		 json_text(attachment && question->break_at ? traffic_break_name(question->break_at)
							    : NULL));
	json_put(object, "skipped", json_null());
	return object;
}

static json_t *json_skip(const struct traffic_skip *skip)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:n, s:n, s:b, s:[], s:n, s:s}", "asked_by",
			 role_names[TRAFFIC_ATTACHMENT], "set", json_text(skip->set->name),
			 "container", json_text(skip->container->name), "network",
			 json_text(skip->attachment->network->name), "attachment",
			 json_text(skip->attachment->name), "link", "gateway", "asked", false,
			 "answers", "breaks_at", "skipped", skip_reason_text(skip->reason));
}

json_t *traffic_json(const struct traffic *traffic)
{
	json_t *list = json_array();
	for (size_t i = 0; i < traffic->n_questions; i++)
		json_push(list, json_question(traffic, &traffic->questions[i]));
	for (size_t i = 0; i < traffic->n_skips; i++)
		json_push(list, json_skip(&traffic->skips[i]));
	return list;
}
