package ebms;

/** What this party agreed with its partner, and how it behaves to what comes in. */
final class Terms {
    String oin;
    String role;
    String partner;
    String partnerRole;
    String cpa;
    String service;
    String serviceType;
    String endpoint;
    boolean reliable;
    boolean signed;
    boolean encrypted;
    boolean syncReply;

    /** Whether RSA-1.5 is read as well. */
    boolean weak;

    /** How what this party says by itself is written. */
    Dialect dialect = new Dialect();

    /** HTTP status by which everything is turned away, unread; 0: nothing is. */
    int status;

    /** Whether the first acknowledgement of each message is made, and lost on its way. */
    boolean losesFirst;

    /** Whether an acknowledgement names other digests than those of the message. */
    boolean wrongDigests;

    /** Code of the error by which every message is refused; empty: none is. */
    String refuses = "";
}
