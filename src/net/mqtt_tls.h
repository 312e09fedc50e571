/* TLS for a connection that is made to an address but verified against a name. */
#ifndef NET_MQTT_TLS_H
#define NET_MQTT_TLS_H

struct mosquitto;

/* host: lives as long as m does. False: there is no TLS to be had. */
_Bool mqtt_tls_set(struct mosquitto *m, const char *host, _Bool numeric);

#endif
