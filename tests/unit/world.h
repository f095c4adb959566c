/* A live state to which a plan is applied in a model of the kernel (kernel_model.h): a refusal of
 * the model fails the test. */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "reconcile/plan/plan.h"

/* A host with eth0 (ifindex 2) and eth1 (3), up and with carrier, and the namespaces web, db, ci.
 */
struct live *world_new(void);
void world_free(struct live *live);

struct live_ns *world_ns(struct live *live, const char *name);
/* Adds an up link of 1500 bytes; the caller sets the rest. */
struct live_link *world_link(struct live_ns *ns, const char *name, enum link_kind kind);
void world_addr(struct live_ns *ns, int ifindex, const char *prefix, uint8_t proto);
/* A leased address, with these valid and preferred lifetimes in seconds. */
void world_lease(struct live_ns *ns, int ifindex, const char *prefix, uint32_t valid,
		 uint32_t preferred);
void world_route(struct live_ns *ns, int ifindex, const char *to, const char *via, uint8_t proto);
void world_unlink(struct live *live, struct live_ns *ns, int ifindex);

/* Without the guard against many deletions; and with --adopt. */
extern const struct plan_options open_options, adopt_options;

/* Finds each desired container's namespace by its name; those without one are pending. */
void world_containers(struct live *live, const struct desired *desired);
void world_apply(struct live *live, const struct plan *plan);

/* From YAML that has to be valid. */
struct desired *desired_from(const char *yaml);
/* NULL: it is not valid. */
struct desired *desired_try(const char *yaml);

/* The plan with open_options, after world_containers. */
const struct plan *world_plan(struct live *live, const struct desired *desired);
/* The plan of the YAML has to be this text. */
void world_expect(struct live *live, const char *yaml, const struct plan_options *options,
		  const char *expected);
/* Applies the YAML; a second plan has to be empty. */
void world_reach(struct live *live, const char *yaml);

/* The plan as text, "create attach web/lan; change attach db/lan mtu 1500 -> 1400", without
 * reports. */
const char *plan_text(const struct plan *plan);

#endif
