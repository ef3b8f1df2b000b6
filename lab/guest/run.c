// SPDX-License-Identifier: GPL-2.0-only
/* Running one shell command with a time limit. */
#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void become_shell(int output, const char *command)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	signal(SIGPIPE, SIG_DFL);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Sends the bytes that the pipe holds now; false at its end or if it is empty. */
static bool pass_output(int from, int out, uint32_t id)
{
	uint8_t chunk[16384];
	ssize_t n = read(from, chunk, sizeof(chunk));

	if (n <= 0)
		return false;
	frame_write(out, FRAME_OUTPUT, id, chunk, (size_t)n);
	return true;
}

/* Waits for the shell while passing its output on; true when it ended in time. */
static bool attend(int shell, int output, int out, uint32_t id, int64_t deadline)
{
	struct pollfd on[2] = {
		{ .fd = shell, .events = POLLIN },
		{ .fd = output, .events = POLLIN },
	};

	for (;;) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			return false;
		if (poll(on, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (on[1].revents && !pass_output(output, out, id))
			on[1].fd = -1;
		if (on[0].revents) {
			while (pass_output(output, out, id))
				;
			return true;
		}
	}
}

int run_command(int out, const struct frame *head, const uint8_t *payload)
{
	const struct run_request *request = (const void *)payload;
	const char *command = (const char *)payload + sizeof(*request);
	enum done_kind kind = DONE_EXITED;
	uint32_t value = 0;
	int pipes[2], shell, status;
	bool ended;
	pid_t pid;

	if (head->length < sizeof(*request))
		return EINVAL;
	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	pid = fork();
	if (pid == 0)
		become_shell(pipes[1], command);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return EAGAIN;
	}
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	shell = (int)syscall(SYS_pidfd_open, pid, 0);
	ended = attend(shell, pipes[0], out, head->id,
		       now_ms() + request->timeout_ms);
	if (!ended)
		kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(pipes[0]);
	close(shell);
	if (!ended) {
		kind = DONE_TIMED_OUT;
	} else if (WIFSIGNALED(status)) {
		kind = DONE_SIGNALLED;
		value = (uint32_t)WTERMSIG(status);
	} else {
		value = (uint32_t)WEXITSTATUS(status);
	}
	frame_done(out, head->id, kind, value);
	return -1;
}
