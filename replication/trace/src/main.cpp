// SPDX-License-Identifier: GPL-2.0-only
#include <cstdio>
#include "our_coder.hpp"
#include "peers.hpp"
#include "replay.hpp"
using namespace replication;
using namespace replication::trace;
int main(int argc,char**argv){
 TraceFile t(argv[1]);
 Coders cs; if(argc>2&&argv[2][0]=='p')cs=make_peers();
 auto add=[&](const char*n,codec::Level l,bool s){codec::EncoderOptions o;o.guest_pages=t.guest_pages();o.store_slots=t.guest_pages();o.level=l;o.similarity=s;cs.push_back(make_our_coder(n,o,t));};
 add("fast",codec::Level::fast,false);add("balanced",codec::Level::balanced,true);add("bal-nosim",codec::Level::balanced,false);add("small",codec::Level::small,true);
 ReplayOptions o; if(argc>3)o.max_epochs=atoi(argv[3]);
 for(auto&r:replay(t,cs,o))printf("%-12s %6.2f  enc %6.0f dec %6.0f\n",r.coder.c_str(),r.ratio(),r.encode_rate()/1e6,r.decode_rate()/1e6);
}
