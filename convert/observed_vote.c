#include "convert/observed_vote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int voter_compare(const void *a, const void *b)
{
	const struct voter *left = a, *right = b;
	const int order = strcmp(left->container->model.name, right->container->model.name);
	return order ? order
		     : (left->attachment > right->attachment) -
			       (left->attachment < right->attachment);
}

static bool is_named(const struct observed_set *set, const struct live_ns *ns)
{
	const struct origin *origin = index_get(set->origins, &ns, sizeof(ns));
	return origin && (origin->owner || origin->netns);
}

/* A namespace has one vote, however many containers its owner tags name. */
static void votes_give(struct ballot *ballot)
{
	for (size_t i = 0; i < ballot->n_voters; i++) {
		struct voter *voter = &ballot->voters[i];
		const struct live_ns *ns = voter->attachment->ns;
		size_t *first = observed_place(ballot->set, "vote of %p on %s", (const void *)ns,
					       ballot->network->model.name);
		*first = *first ? *first : i + 1;
		voter->first = *first - 1;
		voter->named = is_named(ballot->set, ns);
		ballot->named |= voter->named;
	}
}

struct ballot *ballots_make(struct observed_set *set)
{
	struct ballot *ballots = arena_alloc(set->arena, set->n_networks * sizeof(*ballots));
	for (size_t i = 0; i < set->n_networks; i++)
		ballots[i] = (struct ballot){.set = set, .network = &set->networks[i]};
	for (size_t i = 0; i < set->n_containers; i++)
		for (size_t k = 0; k < set->containers[i].n_attachments; k++) {
			struct observed_container *container = &set->containers[i];
			struct ballot *ballot = &ballots[container->attachments[k].network];
			*array_push(set->arena, ballot->voters, ballot->n_voters) = (struct voter){
				.container = container, .attachment = &container->attachments[k]};
		}
	for (size_t i = 0; i < set->n_networks; i++) {
		struct ballot *ballot = &ballots[i];
		if (ballot->n_voters)
			qsort(ballot->voters, ballot->n_voters, sizeof(*ballot->voters),
			      voter_compare);
		votes_give(ballot);
	}
	return ballots;
}

/* The answer of the voter, if it counts: `speakers` has, by voter.first, the first voter of each
 * namespace that has an answer. */
static const char *answer_of(const struct ballot *ballot, const struct question *question,
			     size_t number, const struct voter **speakers,
			     char text[VOTE_TEXT_SIZE])
{
	const struct voter *voter = &ballot->voters[number];
	return speakers[voter->first] == voter
		       ? question->answer(ballot, voter, question->data, text)
		       : NULL;
}

static const struct voter **speakers_find(const struct ballot *ballot,
					  const struct question *question, bool named,
					  struct arena *arena)
{
	char text[VOTE_TEXT_SIZE];
	const struct voter **speakers =
		arena_alloc(arena, (ballot->n_voters + 1) * sizeof(*speakers));
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const struct voter *voter = &ballot->voters[i];
		if (voter->named == named && !speakers[voter->first] &&
		    question->answer(ballot, voter, question->data, text))
			speakers[voter->first] = voter;
	}
	return speakers;
}

static size_t *count_of(const struct ballot *ballot, const struct question *question,
			const char *answer)
{
	return observed_place(ballot->set, "votes for the %s of %s: %s", question->what,
			      ballot->network->model.name, answer);
}

static bool host_answers(const struct ballot *ballot, const struct question *question,
			 const char *answer)
{
	return question->of_host && question->of_host(ballot, answer, question->data);
}

/* Adds the answer of one voter to the poll. */
static void winner_update(const struct ballot *ballot, const struct question *question,
			  struct poll *poll, const struct voter *voter, const char *answer,
			  char best[VOTE_TEXT_SIZE])
{
	const size_t votes = *count_of(ballot, question, answer);
	const bool same = poll->winner && strcmp(best, answer) == 0;
	if (same || votes < poll->votes)
		return;
	const bool tie = votes == poll->votes;
	if (tie &&
	    (host_answers(ballot, question, best) || !host_answers(ballot, question, answer))) {
		poll->tied = poll->tied ? poll->tied : voter;
		return;
	}
	*poll = (struct poll){.winner = voter, .votes = votes, .tied = tie ? poll->winner : NULL};
	snprintf(best, VOTE_TEXT_SIZE, "%s", answer);
}

static struct poll poll_of(const struct ballot *ballot, const struct question *question, bool named)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct voter **speakers = speakers_find(ballot, question, named, arena);
	char text[VOTE_TEXT_SIZE], best[VOTE_TEXT_SIZE] = "";
	struct poll poll = {0};
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const char *answer = answer_of(ballot, question, i, speakers, text);
		if (answer)
			++*count_of(ballot, question, answer);
	}
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const char *answer = answer_of(ballot, question, i, speakers, text);
		if (answer)
			winner_update(ballot, question, &poll, &ballot->voters[i], answer, best);
	}
	if (poll.winner && host_answers(ballot, question, best))
		poll.tied = NULL;
	for (size_t i = 0; i < ballot->n_voters; i++) {
		const struct voter *voter = &ballot->voters[i];
		const char *answer = question->answer(ballot, voter, question->data, text);
		if (!answer || !poll.winner || strcmp(answer, best) == 0)
			continue;
		poll.other = poll.other ? poll.other : voter;
		poll.n_others++;
	}
	return poll;
}

struct poll ballot_poll(const struct ballot *ballot, const struct question *question)
{
	const struct poll poll = poll_of(ballot, question, true);
	return poll.winner ? poll : poll_of(ballot, question, false);
}

size_t ballot_votes(const struct ballot *ballot, const struct question *question,
		    const char *answer)
{
	return *count_of(ballot, question, answer);
}

bool ballot_counts(const struct ballot *ballot, const struct voter *voter)
{
	return voter == &ballot->voters[voter->first] && voter->named == ballot->named;
}

void ballot_warn(const struct ballot *ballot, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note_add(ballot->set->arena, &ballot->set->dissents, "network %s: %s",
		 ballot->network->model.name, text);
}

void ballot_dissent(const struct ballot *ballot, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note_add(ballot->set->arena, &ballot->network->notes, "%s", text);
	ballot_warn(ballot, "%s", text);
}
