// SPDX-License-Identifier: GPL-2.0-only
#include <cstdio>
#include "our_coder.hpp"
#include "peers.hpp"
#include "replay.hpp"
using namespace replication;
using namespace replication::trace;
int main(int argc,char**argv){
 TraceFile t(argv[1]);
 Coders cs; if(argc>2&&argv[2][0]=='p'){auto all=make_peers();for(auto&x:all)if(argv[2][1]==0||x->name()=="xbzrle"||x->name()=="patch-from")cs.push_back(std::move(x));}
 auto add=[&](const char*n,codec::Level l,bool s){codec::EncoderOptions o;o.guest_pages=t.guest_pages();o.store_slots=t.guest_pages();o.level=l;o.similarity=s;cs.push_back(make_our_coder(n,o,t));};
 add("fast",codec::Level::fast,false);add("bal-nosim",codec::Level::balanced,false);add("balanced",codec::Level::balanced,true);add("bal2",codec::Level::balanced,true);if(argv[2][1]==0)add("small",codec::Level::small,true);
 ReplayOptions o; if(argc>3)o.max_epochs=atoi(argv[3]);
 for(auto&r:replay(t,cs,o))printf("%-12s %6.2f  enc %6.0f dec %6.0f\n",r.coder.c_str(),r.ratio(),r.encode_rate()/1e6,r.decode_rate()/1e6);
}
