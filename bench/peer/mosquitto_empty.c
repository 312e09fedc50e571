/* What an MQTT server delivers to a subscriber that does nothing with it: messages of 200 bytes of many devices, a bounded
 * number of them on their way. Publisher and subscriber are this process, a thread each.
 *
 * usage: mosquitto_empty --port N [--qos 0|1] [--seconds S] [--devices N]; prints messages delivered and the seconds. */
#include "../program.h"
#include "message.h"

#include <mosquitto.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 20 };
/* By QoS: libmosquitto looks for an acknowledged message among all that are under way. */
static const int UNDER_WAY[] = {1000, 100};

static _Atomic uint64_t delivered;
static _Atomic int ready;
static sem_t may_publish;
static int qos, port;
static uint32_t devices = 10000;

static void die(const char *what)
{
    fprintf(stderr, "mosquitto_empty: %s\n", what);
    exit(1);
}

static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *message)
{
    (void)m, (void)arg;
    if (message->payloadlen != MESSAGE_BYTES)
        die("a message of another length");
    delivered++;
    sem_post(&may_publish);
}

static void on_subscribe(struct mosquitto *m, void *arg, int id, int count, const int *granted)
{
    (void)m, (void)arg, (void)id, (void)count, (void)granted;
    ready++;
}

static void on_connect(struct mosquitto *m, void *arg, int status)
{
    if (status != 0)
        die("refused");
    if (arg)
        mosquitto_subscribe(m, NULL, "device/+", qos);
    else
        ready++;
}

static struct mosquitto *client(bool subscribes)
{
    struct mosquitto *m = mosquitto_new(NULL, true, subscribes ? &may_publish : NULL);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_message_callback_set(m, on_message);
    mosquitto_max_inflight_messages_set(m, 0);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    if (mosquitto_connect(m, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS || mosquitto_loop_start(m) != MOSQ_ERR_SUCCESS)
        die("no connection");
    return m;
}

static void wait_for_turn(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    if (sem_timedwait(&may_publish, &until) != 0)
        die("messages were lost");
}

int main(int argc, char **argv)
{
    port = (int)argument_number(argc, argv, "--port", 1883);
    qos = argument_number(argc, argv, "--qos", 1) == 1;
    devices = argument_number(argc, argv, "--devices", devices);
    double seconds = strtod(argument(argc, argv, "--seconds", "3"), NULL);
    sem_init(&may_publish, 0, (unsigned)UNDER_WAY[qos]);
    mosquitto_lib_init();
    struct mosquitto *subscriber = client(true), *publisher = client(false);
    while (ready < 2)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    double start = now();
    uint32_t n = 0;
    for (; now() < start + seconds; n++) {
        char topic[32], body[MESSAGE_BYTES + 1];
        uint32_t device = message_device(n, devices);
        snprintf(topic, sizeof topic, "device/%06u", device);
        message_write(body, n, device);
        wait_for_turn();
        if (mosquitto_publish(publisher, NULL, topic, MESSAGE_BYTES, body, qos, false) != MOSQ_ERR_SUCCESS)
            die("not published");
    }
    for (int i = 0; i < UNDER_WAY[qos]; i++) /* all have come */
        wait_for_turn();
    printf("%lu %.6f\n", (unsigned long)delivered, now() - start);
    mosquitto_disconnect(publisher);
    mosquitto_disconnect(subscriber);
    mosquitto_loop_stop(publisher, false);
    mosquitto_loop_stop(subscriber, false);
    mosquitto_destroy(publisher);
    mosquitto_destroy(subscriber);
    return 0;
}
