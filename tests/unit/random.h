/* Random declarations, the same on every run of the same seed. */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H

void random_seed(unsigned seed);
/* From 0 to limit - 1. */
unsigned random_below(unsigned limit);

/* One of up to three networks and four containers, for the host of world_new and for links that it
 * lacks; not always valid. Valid until the next call. */
const char *random_yaml(void);
/* The same with addresses for most attachments. */
const char *random_yaml_addresses(void);

#endif
