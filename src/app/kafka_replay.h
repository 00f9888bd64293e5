// Replays what a Kafka client does first, hop by hop, and says which hop fails and how to mend it.
// The usual trap: the first address works, and the one that the broker then advertises does not.
#pragma once

#include <string>
#include <vector>

#include "app/doctor.h"
#include "base/time.h"
#include "http/server.h"
#include "io/tcp.h"

namespace adbrook::app {

// Connects, asks what the broker speaks and which brokers and topics there are, connects to every
// advertised address, and reads a record from the leader of a partition. Nothing is written. Stops
// at the first hop without which the next one cannot be tried. Speaks plaintext only; `patience` is
// for each hop. Not from a thread of the network's executor.
std::vector<Finding> replay_kafka_client(io::Network& network, const http::HostPort& bootstrap,
                                         Millis patience);

}  // namespace adbrook::app
