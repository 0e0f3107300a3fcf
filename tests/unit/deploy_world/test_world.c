#include "deploy/world/world.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct world *open_with(struct world_options options)
{
    struct world *world;
    struct error err;
    cr_assert(world_open(&options, &world, &err), "%s", err.message);
    return world;
}

static int64_t now_ms(struct world *world)
{
    struct clock_port clock = world_clock(world);
    return clock.now_ms(clock.self);
}

Test(world, waits_until_the_moment_and_a_second_at_most)
{
    struct world *world = open_with((struct world_options){0});
    int64_t started = now_ms(world);
    world_wait(world, started + 150);
    cr_expect_geq(now_ms(world) - started, 149);
    cr_expect_lt(now_ms(world) - started, 900);
    started = now_ms(world);
    world_wait(world, started - 5000);
    cr_expect_lt(now_ms(world) - started, 100);
    world_wait(world, INT64_MAX);
    cr_expect_geq(now_ms(world) - started, 900);
    cr_expect_lt(now_ms(world) - started, 3000);
    world_close(world);
}

Test(world, entropy_differs)
{
    struct world *world = open_with((struct world_options){0});
    struct entropy_port entropy = world_entropy(world);
    unsigned char a[64] = {0}, b[64] = {0};
    entropy.fill(entropy.self, a, sizeof a);
    entropy.fill(entropy.self, b, sizeof b);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    world_close(world);
}

Test(world, signals_become_values)
{
    struct world *world = open_with((struct world_options){.watch_signals = true});
    cr_expect_eq(world_signal(world), 0);
    kill(getpid(), SIGINT);
    int64_t started = now_ms(world);
    world_wait(world, started + 1000);
    cr_expect_lt(now_ms(world) - started, 900, "a signal ends the wait");
    cr_expect_eq(world_signal(world), SIGINT);
    cr_expect_leq(llabs(world_signal_at_ms(world) - started), 1000);
    kill(getpid(), SIGTERM);
    world_wait(world, now_ms(world) + 1000);
    cr_expect_eq(world_signal(world), SIGTERM);
    kill(getpid(), SIGTERM); // pending when the world closes: it must not end us
    world_close(world);
}

Test(world, signals_end_the_program_when_they_are_not_watched, .signal = SIGTERM)
{
    struct world *world = open_with((struct world_options){0});
    world_close(world);
    kill(getpid(), SIGTERM);
}

struct sum {
    long n, result;
    sigset_t mask;
};

static void add_up(void *context)
{
    struct sum *sum = context;
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    for (long i = 1; i <= sum->n; i++)
        sum->result += i;
    pthread_sigmask(SIG_BLOCK, NULL, &sum->mask);
}

Test(world, work_is_done_in_threads_and_wakes_the_loop)
{
    struct world *world = open_with((struct world_options){.watch_signals = true});
    struct sum sums[16] = {0};
    struct work *works[16];
    struct error err;
    for (int i = 0; i < 16; i++) {
        sums[i].n = 1000 * (i + 1);
        cr_assert(world_work(world, add_up, &sums[i], &works[i], &err));
    }
    int64_t started = now_ms(world);
    for (int i = 0; i < 16; i++) {
        while (!work_done(works[i]))
            world_wait(world, now_ms(world) + 10000);
        cr_expect_eq(sums[i].result, sums[i].n * (sums[i].n + 1) / 2);
        cr_expect_eq(sigismember(&sums[i].mask, SIGTERM), 1);
        work_close(works[i]);
    }
    cr_expect_lt(now_ms(world) - started, 900, "the wait ended with the work");
    world_close(world);
}

Test(world, work_can_be_closed_while_it_runs)
{
    struct world *world = open_with((struct world_options){0});
    struct sum sum = {.n = 10};
    struct work *work;
    struct error err;
    cr_assert(world_work(world, add_up, &sum, &work, &err));
    work_close(work);
    cr_expect_eq(sum.result, 55);
    world_close(world);
}

Test(world, the_ca_file_is_the_one_asked_for)
{
    setenv("SSL_CERT_FILE", "/chosen.pem", 1);
    struct world *world = open_with((struct world_options){0});
    cr_expect_str_eq(world_ca_file(world), "/chosen.pem");
    world_close(world);
    world = open_with((struct world_options){.ca_file = "/wished.pem"});
    cr_expect_str_eq(world_ca_file(world), "/wished.pem");
    world_close(world);
}
