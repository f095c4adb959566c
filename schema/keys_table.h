/* How the rows of the table of keys are written. Only the files of the table include it. */
#ifndef SCHEMA_KEYS_TABLE_H
#define SCHEMA_KEYS_TABLE_H

#define AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define KEYS(rows)       .keys = (rows), .n_keys = sizeof(rows) / sizeof(*(rows))

/* The keys of struct link_settings, of an attachment or, as its default, of a network. */
#define SETTING_KEYS(struct_type, before, what)                                                    \
	{.name = "promisc",                                                                        \
	 .type = KEY_BOOL,                                                                         \
	 AT(struct_type, before settings.promisc),                                                 \
	 .has = offsetof(struct_type, before settings.has_promisc),                                \
	 .description = what " receives frames to all MAC addresses",                              \
	 .default_text = "false"},                                                                 \
		{.name = "allmulticast",                                                           \
		 .type = KEY_BOOL,                                                                 \
		 AT(struct_type, before settings.allmulticast),                                    \
		 .has = offsetof(struct_type, before settings.has_allmulticast),                   \
		 .description = what " receives all multicast frames",                             \
		 .default_text = "false"},                                                         \
	{                                                                                          \
		.name = "txqueuelen", .type = KEY_NUMBER,                                          \
		AT(struct_type, before settings.txqueuelen),                                       \
		.has = offsetof(struct_type, before settings.has_txqueuelen), .max = INT_MAX,      \
		.description = "the length of the transmit queue of " what ", in packets",         \
		.default_text = "the kernel's default: 1000, for macvtap 500", .example = "2000"   \
	}

#endif
