#include "schema/driver.h"

#include <string.h>

#define BIT(mode) (1U << (mode))

/* The names of the drivers are in schema/words.c (driver_words). */
static const struct driver_info drivers[N_DRIVERS] = {
	[DRIVER_MACVLAN] = {.modes = BIT(MODE_BRIDGE) | BIT(MODE_PRIVATE) | BIT(MODE_VEPA) |
				     BIT(MODE_PASSTHRU),
			    .default_mode = MODE_BRIDGE,
			    .handler = DRIVER_MACVLAN,
			    .broadcast_queue = true},
	[DRIVER_IPVLAN] = {.modes = BIT(MODE_L2) | BIT(MODE_L3) | BIT(MODE_L3S),
			   .default_mode = MODE_L2,
			   .handler = DRIVER_IPVLAN,
			   .shares_mac = true,
			   .one_mode = true,
			   .has_flag = true},
	[DRIVER_MACVTAP] = {.modes = BIT(MODE_BRIDGE) | BIT(MODE_PRIVATE) | BIT(MODE_VEPA) |
				     BIT(MODE_PASSTHRU),
			    .default_mode = MODE_BRIDGE,
			    .handler = DRIVER_MACVLAN,
			    .broadcast_queue = true},
};

const struct driver_info *driver_info(enum driver driver)
{
	return &drivers[driver];
}

bool driver_has_mode(enum driver driver, enum link_mode mode)
{
	return drivers[driver].modes & BIT(mode);
}

bool driver_mode_find(enum driver driver, const char *word, enum link_mode *ret)
{
	for (const struct word *mode = link_mode_words; mode->name; mode++) {
		if (!driver_has_mode(driver, mode->value) || strcmp(mode->name, word) != 0)
			continue;
		*ret = mode->value;
		return true;
	}
	return false;
}

bool driver_shares_mac(enum driver driver, enum link_mode mode)
{
	return drivers[driver].shares_mac || mode == MODE_PASSTHRU;
}

bool link_mode_isolates(enum link_mode mode)
{
	return mode == MODE_PRIVATE || mode == MODE_VEPA || mode == MODE_PASSTHRU;
}

bool link_mode_routes(enum link_mode mode)
{
	return mode == MODE_L3 || mode == MODE_L3S;
}
