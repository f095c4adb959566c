/* `mvapply doctor`: checks the host for problems and suggests fixes. */
#ifndef CMD_DOCTOR_DOCTOR_H
#define CMD_DOCTOR_DOCTOR_H

#include "cmd/output_text.h"
#include "cmd/session.h"
#include "reconcile/traffic/traffic.h"

enum finding_level {
	FINDING_PROBLEM, /* a part of the configuration will not work */
	FINDING_WARNING, /* it may not work; the user has to decide */
	FINDING_NOTE,    /* what differs on this kernel; nothing is wrong */
};

struct finding {
	enum finding_level level;
	const char *check;
	enum code code;      /* the plan's error with the same cause; else CODE_NONE */
	const char *subject; /* a link, an attachment, or "the host" */
	const char *text;    /* the problem */
	const char *fix;     /* the fix; NULL: the text contains it */
};

/* One run of the checks; findings in the order of detection. */
struct examination {
	struct arena *arena;
	const struct desired *desired;
	const struct run *run; /* the live state and the plan; NULL: the host could not be read */
	const char *check;     /* the check in progress */
	bool ask_traffic;      /* --traffic */
	bool host_alone;       /* without files: `desired` is host_alone() */
	const struct traffic *traffic; /* the answers; NULL: no question was sent */
	struct finding *findings;
	size_t n_findings;
};

/* Adds a finding to the current check and returns it. Texts must be valid as long as the arena; the
 * finding is valid until the next one is added. */
struct finding *finding_add(struct examination *examination, enum finding_level level,
			    const char *subject, const char *text, const char *fix);

/* subnets.c: compares the network's subnets with the addresses of its parent, or of the VLAN of it
 * that the network is on. */
void examine_subnets(struct examination *examination, const struct network *network,
		     const struct live_link *parent);

/* host_alone.c: what stands for the files if there are none. The caller frees it with desired_free;
 * `host` must outlive it. */
struct desired *host_alone(const char *host);

/* Each runs one check and returns a short text for its success. */
typedef const char *examine(struct examination *examination);

examine examine_rights;
examine examine_kernel;
examine examine_plan;
examine examine_containers;
examine examine_engines; /* instead of examine_containers, without files */
examine examine_docker;
examine examine_parents;
examine examine_hardware;
examine examine_ipv6;
examine examine_rp_filter;
examine examine_dhcp;
examine examine_traffic;

/* The answers of the gateways: rows of text about those without a finding, and all of them as JSON.
 */
void traffic_report(struct examination *examination, const struct text *text);
json_t *traffic_json(const struct traffic *traffic);

#endif
