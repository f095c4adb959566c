/* Queries the gateway of each live attachment through the attachment's own link, and finds where a
 * connection breaks: the value that `doctor --traffic` reports. docs/explanation/traffic.md has the
 * reasoning. */
#ifndef RECONCILE_TRAFFIC_TRAFFIC_H
#define RECONCILE_TRAFFIC_TRAFFIC_H

#include "reconcile/plan/plan.h"
#include "reconcile/traffic/compare.h"

#define TRAFFIC_ANSWERS_MAX 4
#define TRAFFIC_NONE        SIZE_MAX

/* The link through which a question is sent. */
enum traffic_role {
	TRAFFIC_ATTACHMENT, /* a container's, which is checked */
	TRAFFIC_PARENT,     /* their parent, for comparison */
	TRAFFIC_UNTAGGED,   /* the link below a VLAN, for comparison */
};

/* One gateway, queried through one link. */
struct traffic_question {
	enum traffic_role role;
	size_t segment; /* in traffic.segments */
	struct live_ns *ns;
	const struct live_link *link;
	const struct set *set; /* of an attachment, as are the following */
	const struct container *container;
	const struct attachment *attachment;
	bool route_missing; /* the files have a default route by the gateway, and there is none */
	struct ip source;   /* family 0: the link has no usable address */
	bool sent;
	int errnum; /* the question could not be sent; 0: it could, or was not tried */
	/* The MACs that have answered, each once; more than the maximum are not kept. */
	struct mac answers[TRAFFIC_ANSWERS_MAX];
	size_t n_answers;
	enum traffic_break break_at; /* of an attachment, once compared */
};

/* All questions for one gateway on one parent: one broadcast domain. */
struct traffic_segment {
	struct ip gateway;
	const struct live_link *parent; /* of the host's namespace; NULL: moved away */
	const struct live_link *base;   /* of a VLAN: the link below it; else NULL */
	bool shares_mac;                /* the attachments have the parent's MAC address */
	bool isolated;                  /* the attachments do not reach each other */
	enum gateway_holder holder;     /* as far as the host knows */
	const char *holder_name;        /* of the link or container, or NULL */
	size_t parent_question, untagged_question; /* or TRAFFIC_NONE */
	size_t attachments, asked, answered;       /* counts of attachments */
};

enum skip_reason {
	SKIP_NONE,
	SKIP_PENDING,
	SKIP_NOT_ATTACHED,
	SKIP_INTERNAL,
	SKIP_ROUTED, /* ipvlan l3: the host routes */
	SKIP_NO_LEASE,
	SKIP_NO_ROUTER,  /* in the lease */
	SKIP_NO_GATEWAY, /* in the files */
	N_SKIP_REASONS,
};
/* NULL: SKIP_NONE. */
const char *skip_reason_text(enum skip_reason reason);

/* An attachment that sends no question. */
struct traffic_skip {
	const struct set *set;
	const struct container *container;
	const struct attachment *attachment;
	enum skip_reason reason;
};

struct traffic {
	struct arena *arena;
	struct traffic_question *questions; /* of attachments, then those for comparison */
	size_t n_questions;
	struct traffic_segment *segments;
	size_t n_segments;
	struct traffic_skip *skips;
	size_t n_skips;
};

/* Chooses the questions: one for each live attachment of the files and each of its gateways, and
 * those of parents to compare with. Pure. Points into its arguments. */
struct traffic traffic_questions(const struct desired *desired, const struct live *live,
				 const struct plan *plan, struct arena *arena);

/* query.c: sends all questions at once and fills in the answers, in less than two seconds (longer
 * only where the process has not enough descriptors for a socket each). Enters the namespaces that
 * `live` holds, and returns to the host's. Sends nothing but ARP requests and neighbour
 * solicitations for the gateways. */
void traffic_query(struct traffic *traffic, const struct live *live);

/* Compares the answers: sets the counts of the segments, and break_at of each attachment. Pure. */
void traffic_judge(struct traffic *traffic);

#endif
