// Package live has what moves on the pages by itself: a hub that tells open pages when to look again, the stream by which browsers hear
// it, who else looks at a ticket or writes on it, how the line stands, and what people were told. What a stream carries is never what a
// ticket says: pages fetch their parts again, and the API checks who asks.
package live
