#pragma once

// The one way to include SOCI. Debian's build announces Boost, which its headers would then need
// for binding Boost.Fusion sequences; we bind none, and nothing compiled into the library depends
// on it.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME
#include <soci/soci.h>
