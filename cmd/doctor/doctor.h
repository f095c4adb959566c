/* `mvapply doctor`: checks the host for problems and suggests fixes. */
#ifndef CMD_DOCTOR_DOCTOR_H
#define CMD_DOCTOR_DOCTOR_H

#include "cmd/session.h"

enum finding_level {
	FINDING_PROBLEM, /* something declared will not be there, or not work */
	FINDING_WARNING, /* it may not work, which only a person can tell */
};

struct finding {
	enum finding_level level;
	const char *check;
	enum code code;      /* of an error that the plan reports, too; else CODE_NONE */
	const char *subject; /* a link, an attachment, or "the host" */
	const char *text;    /* what is so */
	const char *fix;     /* what to do; NULL: the text says it */
};

/* One examination; findings in the order in which they were made. */
struct examination {
	struct arena *arena;
	const struct desired *desired;
	const struct run *run; /* what is live, and the plan; NULL: the host could not be read */
	const char *check;     /* that is being made */
	struct finding *findings;
	size_t n_findings;
};

/* Adds a finding to the check that is being made, and returns it; the texts are valid as long as
 * the arena, the finding until the next one is added. */
struct finding *finding_add(struct examination *examination, enum finding_level level,
			    const char *subject, const char *text, const char *fix);

/* Each reads one thing, and says in a few words what it read, for when all is well. */
typedef const char *examine(struct examination *examination);

examine examine_rights;
examine examine_kernel;
examine examine_plan;
examine examine_parents;
examine examine_hardware;
examine examine_ipv6;
examine examine_rp_filter;
examine examine_dhcp;

#endif
