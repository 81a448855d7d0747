"""S/MIME (RFC 8551) for secure e-mail: pure, from octets to octets.

A mail is made by `seal_mail(...) -> Mail` and read by `open_mail(...) -> Opened`, both blocking:
call them on a thread. What they are made of: `signed` inside, `enveloped` outside.

    seal_mail(released, letter, *, to, signer, trust, maximum, random, at, chain=()) -> Mail
    open_mail(octets, *, senders, ours, keyring, trust, maximum, at) -> Opened

    Letter(payload, ebms_message_id, sender, recipient, twice, remarks, in_reply_to)
    Recipients(certificates, encryption=Encryption.GCM, header=None)
    Mail(octets, message_id, reference)
    Sender(party, address, certificates, encryption=Encryption.GCM, named=False)
    Opened(party, holder, sender, message_id, ebms_message_id, in_reply_to, protected, signed_at,
           payloads, text, attachments, content)

`message_id_of(ebms_message_id, recipient, domain)` is what the mail of a message is called, known
before it is made; an attempt that is repeated has it again.
"""
