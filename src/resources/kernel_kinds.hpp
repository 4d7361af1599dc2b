// The kernel halves of all kinds.
#pragma once

#include "resources/address/kernel.hpp"
#include "resources/bridge/kernel.hpp"
#include "resources/command/kernel.hpp"
#include "resources/etc/kernel.hpp"
#include "resources/firewall/kernel.hpp"
#include "resources/namespace/kernel.hpp"
#include "resources/neighbour/kernel.hpp"
#include "resources/route/kernel.hpp"
#include "resources/rule/kernel.hpp"
#include "resources/sysctl/kernel.hpp"
#include "resources/veth/kernel.hpp"
