// SPDX-License-Identifier: GPL-2.0-only
// Takes out of the 6.1 kernel's xen-netfront.c what its later releases mend: the driver as users of earlier ones have it.

// The first slot's length was taken for that of the head.
@header@
expression skb, pull_to;
@@
 handle_incoming_queue(...)
 {
 <...
-if (!pskb_may_pull(skb, max(pull_to, ETH_HLEN))) { ... }
+if (pull_to > skb_headlen(skb))
+	__pskb_pull_tail(skb, pull_to - skb_headlen(skb));
 ...>
 }

// A packet that ended amid its slots was forgotten.
@requeue@
expression queue, skb, list;
@@
 xennet_poll(...)
 {
 <...
-if (unlikely(xennet_fill_frags(queue, skb, list))) {
-	__skb_queue_head(list, skb);
-	goto err;
-}
+if (unlikely(xennet_fill_frags(queue, skb, list)))
+	goto err;
 ...>
 }
