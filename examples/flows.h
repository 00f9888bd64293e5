// The topologies of docs/streams.md, in the order of the page.
#pragma once

#include "stream/topology.h"

namespace shop {

using adbrook::stream::Topology;

void large_orders(Topology& topology);
void customers_and_items(Topology& topology);
void orders_per_minute(Topology& topology);
void paid_orders(Topology& topology);
void reminders(Topology& topology);
void spend_in_one_mebibyte(Topology& topology);
void spend(Topology& topology);
void spend_without_gifts(Topology& topology);
void spend_per_item(Topology& topology);

}  // namespace shop
