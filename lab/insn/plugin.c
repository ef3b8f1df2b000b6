// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry of the instruction plugin.
 *
 * Arguments: out=FILE (required), control=SOCKET, profile=on|off, exact=on|off.
 */
#include <stdio.h>
#include <string.h>

#include "insn.h"

PLUGIN_EXPORT int qemu_plugin_version = INSN_PLUGIN_API;

PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc,
				      char **argv);

struct options {
	const char *out;
	const char *control;
	bool profile;
	bool exact;
};

static bool parse_switch(const char *value, bool *result)
{
	*result = !strcmp(value, "on");
	return *result || !strcmp(value, "off");
}

static bool parse_option(struct options *opt, const char *arg)
{
	const char *value = strchr(arg, '=');
	size_t len;

	if (!value)
		return false;
	len = value++ - arg;
#define IS(name) (len == strlen(name) && !strncmp(arg, name, len))
	if (IS("out"))
		opt->out = value;
	else if (IS("control"))
		opt->control = value;
	else if (IS("profile"))
		return parse_switch(value, &opt->profile);
	else if (IS("exact"))
		return parse_switch(value, &opt->exact);
	else
		return false;
#undef IS
	return true;
}

static bool supported(const struct qemu_info_t *info)
{
	if (info->version.min > INSN_PLUGIN_API || info->version.cur != INSN_PLUGIN_API) {
		fprintf(stderr, "insn plugin: this QEMU has plugin API %d, the plugin counts "
			"correctly only with API %d (QEMU 11.1): use the lab's own QEMU\n",
			info->version.cur, INSN_PLUGIN_API);
		return false;
	}
	if (!info->system_emulation || strcmp(info->target_name, "x86_64")) {
		fprintf(stderr, "insn plugin: it counts x86_64 machines only, not %s%s\n",
			info->target_name, info->system_emulation ? "" : " user programs");
		return false;
	}
	if (info->system.max_vcpus > MAX_VCPUS) {
		fprintf(stderr, "insn plugin: at most %d vCPUs are counted, the machine has %d\n",
			MAX_VCPUS, info->system.max_vcpus);
		return false;
	}
	return true;
}

static void on_exit_qemu(void *userdata)
{
	(void)userdata;
	snapshot_take("exit", "exit", profile_enabled(), NULL, 0);
	control_close();
}

int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	struct options opt = { 0 };
	int err;

	if (!supported(info))
		return 1;
	for (int i = 0; i < argc; i++) {
		if (!parse_option(&opt, argv[i])) {
			fprintf(stderr, "insn plugin: unknown argument %s (out=FILE, "
				"control=SOCKET, profile=on|off, exact=on|off)\n", argv[i]);
			return 1;
		}
	}
	if (!opt.out) {
		fprintf(stderr, "insn plugin: out=FILE is missing\n");
		return 1;
	}
	if (opt.profile && !profile_setup()) {
		fprintf(stderr, "insn plugin: no memory for the profile\n");
		return 1;
	}
	count_setup(id, opt.exact);
	idle_setup(id);
	err = snapshot_open(opt.out, info, opt.exact);
	if (err) {
		fprintf(stderr, "insn plugin: cannot write %s: %s\n", opt.out, strerror(err));
		return 1;
	}
	err = opt.control ? control_setup(opt.control) : 0;
	if (err) {
		fprintf(stderr, "insn plugin: cannot listen on %s: %s\n", opt.control,
			strerror(err));
		return 1;
	}
	qemu_plugin_register_atexit_cb(id, on_exit_qemu, NULL);
	return 0;
}
