// SPDX-License-Identifier: GPL-2.0-only
/* Commands. A new one is a function and a line in the table. */
#include <stdio.h>

#include "command.h"
#include "json.h"
#include "loop.h"
#include "nic.h"

/* Each returns NULL, or one sentence about the error; @answer then stays unused. */
typedef const char *(*command_fn)(struct nic *nic, const struct json *json, char *answer);

static const char done[] = "{\"ok\":true}";

static const char *finish(char *answer)
{
	memcpy(answer, done, sizeof(done));
	return NULL;
}

static const char *do_info(struct nic *nic, const struct json *json, char *answer)
{
	const u8 *mac = &nic->regs.bytes[REG_MAC0];

	(void)json;
	snprintf(answer, COMMAND_ANSWER_MAX,
		 "{\"ok\":true,\"chip\":\"%s\",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\","
		 "\"link\":\"%s\",\"cable\":\"%s\",\"pause\":\"%s\",\"rate_mbit\":%llu,"
		 "\"wire\":\"%s\",\"vm\":\"%s\",\"replaying\":%s,\"generating\":%s}",
		 nic->chip->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		 nic->phy.link ? "up" : "down", nic->phy.cable ? "up" : "down",
		 nic->pause ? "on" : "off", (unsigned long long)nic->rx_rate.mbit,
		 wire_up(&nic->wire) ? "up" : "down", vfu_up(&nic->vfu) ? "up" : "down",
		 nic->replay.file ? "true" : "false",
		 generate_busy(&nic->generator) ? "true" : "false");
	return NULL;
}

static const char *do_stats(struct nic *nic, const struct json *json, char *answer)
{
	struct stats now = nic->stats;
	int used;

	if (nic->rx.paused_since)
		now.wire_paused_ns += now_ns() - nic->rx.paused_since;
	used = snprintf(answer, COMMAND_ANSWER_MAX, "{\"ok\":true,\"stats\":");
	stats_json(&now, answer + used, STATS_JSON_MAX);
	strcat(answer, "}");
	if (json_bool(json, "reset", false)) {
		memset(&nic->stats, 0, sizeof(nic->stats));
		if (nic->rx.paused_since)
			nic->rx.paused_since = now_ns();
	}
	return NULL;
}

/* Which of two words is member @name? Return: false if neither. */
static bool either(const struct json *json, const char *name, const char *no, const char *yes,
		   bool *is_yes)
{
	const char *text = json_string(json, name);

	*is_yes = text && !strcmp(text, yes);
	return *is_yes || (text && !strcmp(text, no));
}

static const char *do_link(struct nic *nic, const struct json *json, char *answer)
{
	bool up;

	if (!either(json, "state", "down", "up", &up))
		return "link needs \"state\", up or down";
	phy_plug(nic, up);
	return finish(answer);
}

static const char *do_rate(struct nic *nic, const struct json *json, char *answer)
{
	double mbit;

	if (!json_number(json, "mbit", &mbit) || !(mbit >= 0 && mbit <= 1e6))
		return "rate needs \"mbit\", a number from 0 (no limit) to 1000000";
	rate_set(&nic->rx_rate, (u64)mbit);
	rate_set(&nic->tx_rate, (u64)mbit);
	return finish(answer);
}

static const char *do_pause(struct nic *nic, const struct json *json, char *answer)
{
	bool on;

	if (!either(json, "state", "off", "on", &on))
		return "pause needs \"state\", on or off";
	nic->pause = on;
	rx_changed(nic);
	return finish(answer);
}

static const char *do_identification(struct nic *nic, const struct json *json, char *answer)
{
	if (!either(json, "state", "kept", "cleared", &nic->clear_ident))
		return "identification needs \"state\", kept or cleared";
	return finish(answer);
}

static const char *do_pcap(struct nic *nic, const struct json *json, char *answer)
{
	const char *file = json_string(json, "file");
	const char *text = json_string(json, "dir");
	enum pcap_dir dir = PCAP_BOTH;
	double snaplen = 0;
	bool start;
	int err;

	if (!either(json, "action", "stop", "start", &start))
		return "pcap needs \"action\", start or stop";
	if (!start) {
		err = pcap_stop(&nic->pcap);
		return err ? strerror(err) : finish(answer);
	}
	if (!file)
		return "pcap start needs \"file\", a path";
	if (text && !strcmp(text, "rx"))
		dir = PCAP_RX;
	else if (text && !strcmp(text, "tx"))
		dir = PCAP_TX;
	else if (text && strcmp(text, "both"))
		return "pcap's \"dir\" is rx, tx or both";
	if (json_number(json, "snaplen", &snaplen) && !(snaplen >= 1 && snaplen <= 65535))
		return "pcap's \"snaplen\" is a number from 1 to 65535";
	if (nic->pcap.file)
		return "a capture is running: stop it first";
	err = pcap_start(&nic->pcap, file, dir, (u32)snaplen);
	return err ? strerror(err) : finish(answer);
}

static const char *do_replay(struct nic *nic, const struct json *json, char *answer)
{
	const char *file = json_string(json, "file");
	const char *error;

	if (!file)
		return "replay needs \"file\", a path";
	error = replay_start(nic, file, json_bool(json, "timed", false));
	return error ? error : finish(answer);
}

/* Member @name, a whole number from 1 to @max; *@value stays as it is if there is none. */
static bool count(const struct json *json, const char *name, double max, u64 *value)
{
	double number = (double)*value;

	if (json_number(json, name, &number) && !(number >= 1 && number <= max))
		return false;
	*value = (u64)number;
	return *value > 0;
}

static const char *do_generate(struct nic *nic, const struct json *json, char *answer)
{
	const char *mac = json_string(json, "mac");
	u64 frames = 0, flows = 1, burst = 1;
	bool guest_clock = false;
	const char *error;
	u8 to[6];

	memcpy(to, &nic->regs.bytes[REG_MAC0], sizeof(to));
	if (!count(json, "frames", 1e12, &frames))
		return "generate needs \"frames\", a number from 1 to 1000000000000";
	if (!count(json, "flows", GENERATE_FLOWS_MAX, &flows))
		return "generate's \"flows\" is a number from 1 to 32768";
	if (!count(json, "burst", GENERATE_BURST_MAX, &burst))
		return "generate's \"burst\" is a number from 1 to 1024";
	if (mac && !mac_parse(mac, to))
		return "generate's \"mac\" is a unicast address like 52:54:00:81:69:01";
	if (json_string(json, "clock") && !either(json, "clock", "host", "guest", &guest_clock))
		return "generate's \"clock\" is host or guest";
	error = generate_start(nic, to, frames, (u32)flows, (u32)burst, guest_clock);
	return error ? error : finish(answer);
}

static const char *do_fault(struct nic *nic, const struct json *json, char *answer)
{
	double count;
	const char *error;

	if (!json_number(json, "count", &count) || !(count >= 0 && count <= FAULT_COUNT_MAX))
		return "fault needs \"count\", a number from 0 (no more lies) to 1000000";
	error = fault_start(nic, json_string(json, "kind"), (u32)count);
	return error ? error : finish(answer);
}

static const char *do_quit(struct nic *nic, const struct json *json, char *answer)
{
	(void)json;
	nic_stop(nic, 0);
	return finish(answer);
}

static const struct {
	const char *name;
	command_fn run;
} commands[] = {
	{ "info", do_info },
	{ "stats", do_stats },
	{ "link", do_link },
	{ "rate", do_rate },
	{ "pause", do_pause },
	{ "identification", do_identification },
	{ "pcap", do_pcap },
	{ "replay", do_replay },
	{ "generate", do_generate },
	{ "fault", do_fault },
	{ "quit", do_quit },
};

static const char *dispatch(struct nic *nic, const struct json *json, char *answer)
{
	const char *name = json_string(json, "cmd");
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(nic, json, answer);
	return "\"cmd\" must be info, stats, link, rate, pause, identification, pcap, replay, generate, fault, quit";
}

void command_run(struct nic *nic, const char *line, char *answer)
{
	static struct json json;
	const char *error = json_parse(&json, line);

	if (!error)
		error = dispatch(nic, &json, answer);
	if (error) {
		int used = snprintf(answer, COMMAND_ANSWER_MAX, "{\"ok\":false,\"error\":");

		json_quote(answer + used, (size_t)(COMMAND_ANSWER_MAX - used - 3), error);
		strcat(answer, "}");
	}
	strcat(answer, "\n");
}
