/* Derives a property of a network from its attachments by majority. A container can change its own
 * link, so no single link is trusted. */
#ifndef CONVERT_OBSERVED_VOTE_H
#define CONVERT_OBSERVED_VOTE_H

#include "convert/observed_set.h"

struct voter {
	const struct observed_container *container;
	struct observed_attachment *attachment;
	bool named; /* the host has a name for its namespace, or an engine has: nobody who merely
		       makes namespaces gets such votes */
	bool votes; /* it is the first one of its namespace on the network */
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

/* What is voted on. */
struct question {
	const char *what; /* "mtu"; no other question of the network is called so */
	/* What the voter says, in `text`; NULL: nothing. */
	const char *(*answer)(const struct ballot *ballot, const struct voter *voter,
			      const void *data, char text[VOTE_TEXT_SIZE]);
	/* Whether the host itself says so; NULL: it says nothing. */
	bool (*of_host)(const struct ballot *ballot, const char *answer, const void *data);
	const void *data;
};

struct poll {
	const struct voter
		*winner; /* the first who says what most say; NULL: nobody says anything */
	size_t votes;    /* for that */
	const struct voter *rival; /* one who says what as many say, or NULL */
	const struct voter *other; /* the first who says something else, or NULL */
	size_t n_others;           /* how many do */
};

/* The named voters alone count, where any of them says something. At as many votes, what the host
 * says is first, then what the first voter says. Takes steps in proportion to the voters. */
struct poll ballot_poll(const struct ballot *ballot, const struct question *question);

/* How many votes the answer got in the poll of that question. */
size_t ballot_votes(const struct ballot *ballot, const struct question *question,
		    const char *answer);
/* Whether the voter is one of those whose answers count where all say something. */
bool ballot_counts(const struct ballot *ballot, const struct voter *voter);

/* A warning of the network, of what an attachment's notes say; and with a note on the network. */
__attribute__((format(printf, 2, 3))) void ballot_warn(const struct ballot *ballot,
						       const char *format, ...);
__attribute__((format(printf, 2, 3))) void ballot_dissent(const struct ballot *ballot,
							  const char *format, ...);

/* Sets the addresses of attachments of unfinished networks, and their subnets. */
void observed_addresses(const struct observed_set *set, const struct ballot *ballots);
/* Finds the routers of all subnets. */
void observed_routers(const struct observed_set *set, const struct ballot *ballots);

#endif
