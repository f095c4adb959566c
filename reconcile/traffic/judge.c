#include "reconcile/traffic/traffic.h"

#include <linux/if.h>

static bool question_answered(const struct traffic *traffic, size_t number)
{
	return number != TRAFFIC_NONE && traffic->questions[number].n_answers;
}

static void segments_count(struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->n_questions; i++) {
		const struct traffic_question *question = &traffic->questions[i];
		struct traffic_segment *segment = &traffic->segments[question->segment];
		if (question->role != TRAFFIC_ATTACHMENT)
			continue;
		segment->asked += question->sent;
		segment->answered += question->n_answers > 0;
	}
}

/* Whether the gateway answers at all, through the parent: to it, or to an attachment. */
static bool segment_alive(const struct traffic *traffic, const struct traffic_segment *segment)
{
	return segment->answered || question_answered(traffic, segment->parent_question);
}

static const struct live_link *cable_of(const struct traffic_segment *segment)
{
	return segment->base ? segment->base : segment->parent;
}

/* The values that all attachments of a segment share. */
static struct traffic_facts segment_facts(const struct traffic *traffic,
					  const struct traffic_segment *segment)
{
	const struct live_link *parent = segment->parent;
	struct traffic_facts facts = {
		.shares_mac = segment->shares_mac,
		.isolated = segment->isolated,
		.holder = segment->holder,
		.parent_known = parent != NULL,
		.parent_up = parent && parent->flags & IFF_UP,
		.parent_carrier = parent && parent->flags & IFF_LOWER_UP,
		.parent_answered = question_answered(traffic, segment->parent_question),
		.others_answered = segment->answered > 0,
		.vlan = segment->base != NULL,
		.untagged_answered = question_answered(traffic, segment->untagged_question),
	};
	for (size_t i = 0; i < traffic->n_segments; i++) {
		const struct traffic_segment *other = &traffic->segments[i];
		if (other == segment || !parent || !other->parent)
			continue;
		if (other->parent == parent)
			facts.parent_alive |= segment_alive(traffic, other);
		else if (cable_of(other) == cable_of(segment))
			facts.cable_alive |= segment_alive(traffic, other) ||
					     question_answered(traffic, other->untagged_question);
	}
	return facts;
}

static void question_judge(struct traffic_question *question, struct traffic_facts facts)
{
	facts.sent = question->sent;
	facts.answered = question->n_answers > 0;
	facts.several_answers = question->n_answers > 1;
	facts.link_up = question->link->flags & IFF_UP;
	facts.has_address = question->source.family != 0;
	facts.route_missing = question->route_missing;
	question->break_at = traffic_compare(&facts);
}

void traffic_judge(struct traffic *traffic)
{
	struct traffic_facts *facts =
		arena_alloc(traffic->arena, (traffic->n_segments + 1) * sizeof(*facts));
	segments_count(traffic);
	for (size_t i = 0; i < traffic->n_segments; i++)
		facts[i] = segment_facts(traffic, &traffic->segments[i]);
	for (size_t i = 0; i < traffic->n_questions; i++)
		if (traffic->questions[i].role == TRAFFIC_ATTACHMENT)
			question_judge(&traffic->questions[i],
				       facts[traffic->questions[i].segment]);
}
