/* Derives a property of a network from its attachments by majority. A container can change its own
 * link, so no single link is trusted. */
#ifndef CONVERT_OBSERVED_VOTE_H
#define CONVERT_OBSERVED_VOTE_H

#include "convert/observed_set.h"

struct voter {
	const struct observed_container *container;
	struct observed_attachment *attachment;
	bool named;   /* its namespace has a name on the host, or an engine's: creating namespaces
			 alone gives no such votes */
	size_t first; /* the first voter of its namespace on the network: they have one vote */
};

/* A network with its attachments, by the names of the containers. Valid until the set gets another
 * attachment. */
struct ballot {
	struct observed_set *set;
	struct observed_network *network;
	struct voter *voters;
	size_t n_voters;
	bool named; /* one of them is */
};

/* One for each network, in their order; in the set's arena. */
struct ballot *ballots_make(struct observed_set *set);

#define VOTE_TEXT_SIZE 128

/* The question of a poll. */
struct question {
	const char *what; /* "mtu"; a unique name for the question */
	/* The voter's answer, in `text`; NULL: none. */
	const char *(*answer)(const struct ballot *ballot, const struct voter *voter,
			      const void *data, char text[VOTE_TEXT_SIZE]);
	/* The host's own answer; NULL: none. */
	bool (*of_host)(const struct ballot *ballot, const char *answer, const void *data);
	const void *data;
};

struct poll {
	const struct voter *winner; /* the first voter with the most frequent answer; NULL: there is
				       no answer */
	size_t votes;               /* its votes */
	const struct voter *tied;   /* a voter with an equally frequent answer, or NULL */
	const struct voter *other;  /* the first voter with another answer, or NULL */
	size_t n_others;            /* their number */
};

/* Only the named voters count, if one of them has an answer. Ties are decided by the host's answer,
 * then by the first voter. Takes steps in proportion to the voters. */
struct poll ballot_poll(const struct ballot *ballot, const struct question *question);

/* The number of votes for the answer in the poll of that question. */
size_t ballot_votes(const struct ballot *ballot, const struct question *question,
		    const char *answer);
/* Whether the voter counts in a poll in which all have an answer. */
bool ballot_counts(const struct ballot *ballot, const struct voter *voter);

/* A warning of the network about attachments with notes; adds a note on the network. */
__attribute__((format(printf, 2, 3))) void ballot_warn(const struct ballot *ballot,
						       const char *format, ...);
__attribute__((format(printf, 2, 3))) void ballot_dissent(const struct ballot *ballot,
							  const char *format, ...);

/* Sets the addresses of attachments of unfinished networks, and their subnets. */
void observed_addresses(const struct observed_set *set, const struct ballot *ballots);
/* Finds the routers of all subnets. */
void observed_routers(const struct observed_set *set, const struct ballot *ballots);

#endif
