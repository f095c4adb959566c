/* An observation in progress: what observe.c, namespaces.c and containers.c share. */
#ifndef RECONCILE_OBSERVE_INTERNAL_H
#define RECONCILE_OBSERVE_INTERNAL_H

#include "kernel/netns.h"
#include "reconcile/observe/engine_lookup.h"
#include "reconcile/observe/netns_lookup.h"
#include "reconcile/state/state.h"

#include <stdint.h>
#include <sys/stat.h>

#define NOBODY SIZE_MAX

/* With fewer namespaces than this, starting threads takes longer than reading. */
#define THREADS_FROM 16

/* What else is open than a namespace for each container. */
#define DESCRIPTORS_SPARE 256

/* A namespace while it is observed. */
struct namespace
{
	struct live_ns *ns;
	size_t lookup; /* the first container in it, or NOBODY */
	bool process;  /* found by a process only */
	bool reopened; /* known from before by its inode alone, and open again */
	bool kept;     /* matters, whatever is in it */
};

struct observer {
	struct live *live;
	const struct live *before; /* NULL: the first observation */
	struct stat host;
	struct lookups *lookups;
	struct namespace *namespaces;
	size_t n_namespaces;
	size_t *next_container; /* the next container in the same space, or NOBODY */
	size_t *table;          /* open addressing by inode: index into spaces + 1 */
	size_t table_size;
	const struct container_lookup **sorted; /* before's, by source */
	bool own_routes;                        /* others' routes of the host are in nobody's way */
	bool starved;                           /* no descriptor was left */
	bool owner_tags;                        /* namespaces with tagged links matter, too */
	bool everything;                        /* a process that cannot be read is reported */
};

/* namespaces.c: the namespaces by inode, and the reading of them */
/* Makes the table, and twice the room in it each time. */
void namespaces_grow(struct observer *observer);
/* Where the table has the inode: one more than the number of its space, or 0. */
size_t *namespace_slot(const struct observer *observer, ino_t inode);
struct namespace *namespace_add(struct observer *observer, struct live_ns *ns);
/* The record of an open namespace, new or known; takes the descriptor over. All namespaces are in
 * one nsfs, so the inode identifies them. */
struct namespace *namespace_of(struct observer *observer, int fd, const struct stat *stat,
			       const char *name);
/* Reads those that are stale and open. Returns 0, or the error of the host's own. */
int namespaces_read(struct observer *observer, struct error *error);
/* Adds what could not be read, with a copy of its text. */
void unreadable_add(struct observer *observer, const struct unreadable *unreadable);
/* The same of one namespace, with what was wrong. */
void unreadable_add_namespace(struct observer *observer, ino_t inode, const char *name,
			      const struct error *error);

/* containers.c: where the containers are */
/* Finds each container's namespace; only stale ones are looked up again. */
void container_lookups_find(struct observer *observer, const struct desired *desired);
/* Names the namespaces of an observation that goes on from an earlier one after the containers that
 * lead to them now. */
void containers_name(struct observer *observer);
/* Finds the namespace of the container's container. `opened` as in source_locate. */
void container_locate(struct observer *observer, struct container_lookup *lookup,
		      const struct source_opened *opened);
/* What was found before holds. */
void container_keep(struct observer *observer, struct container_lookup *lookup,
		    const struct container_lookup *before);

#endif
